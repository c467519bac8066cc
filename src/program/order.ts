/** One resource after others, also when those fail. */

import { createUrn, DependencyResource, Output, recover, resourceName, resourceType, type CustomResource, type CustomResourceOptions, type Resource } from "../sdk.ts";

/** Options of what comes after these resources, and after what it depends on anyway. */
export function behind(resources: readonly CustomResource[], options: CustomResourceOptions): CustomResourceOptions {
  const order = after(resources, options.parent);
  // The SDK walks through lists of lists, promises and outputs (its runtime/dependsOn.ts), but its type doesn't say so.
  return { ...options, dependsOn: options.dependsOn === undefined ? order : ([options.dependsOn, order] as unknown as Promise<Resource[]>) };
}

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

/**
 * With PULUMI_CONTINUE_ON_ERROR a resource that failed rejects its outputs, and a rejection nobody awaits is printed, with a stack,
 * beside the provider's own message.
 */
export function withoutRejections<R extends Resource>(resource: R): R {
  for (const value of Object.values(resource)) if (Output.isInstance(value)) recover(value, () => undefined);
  return resource;
}

// --- Internal ---

const isDone = (resource: CustomResource): Promise<boolean> => new Promise((done) => recover(resource.urn, () => "").apply((urn) => done(urn !== "")));

const urnOf = (resource: CustomResource, parent?: Resource): Promise<string> =>
  new Promise((done) => createUrn(resourceName(resource), resourceType(resource), parent).apply(done));
