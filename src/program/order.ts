/** One resource after others, also when those fail. */

import { createUrn, DependencyResource, recover, resourceName, resourceType, type CustomResource, type Resource } from "../sdk.ts";

/**
 * For `dependsOn`: waits until all of them are done, and is then those that failed or were left out, by their URNs alone.
 *
 * The SDK never registers a resource that depends on a failed one, and prints an error about ourselves. Registered, the engine leaves it
 * out, and what depends on it (PULUMI_CONTINUE_ON_ERROR). What is done well is not named: who waited has had its order, and a
 * dependency that stays in the state breaks that when a host is removed in an update which leaves out its dependents (docs/decisions/0062-rollout.md).
 */
export async function after(resources: readonly CustomResource[], parent?: Resource): Promise<Resource[]> {
  const done = await Promise.all(resources.map(async (resource) => [resource, await isDone(resource)] as const));
  const failed = done.flatMap(([resource, well]) => (well ? [] : [resource]));
  return Promise.all(failed.map(async (resource) => new DependencyResource(await urnOf(resource, parent))));
}

// --- Internal ---

const isDone = (resource: CustomResource): Promise<boolean> => new Promise((done) => recover(resource.urn, () => "").apply((urn) => done(urn !== "")));

const urnOf = (resource: CustomResource, parent?: Resource): Promise<string> =>
  new Promise((done) => createUrn(resourceName(resource), resourceType(resource), parent).apply(done));
