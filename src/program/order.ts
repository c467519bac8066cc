/** One resource after others, also when those fail. */

import { createUrn, DependencyResource, recover, resourceName, resourceType, type CustomResource, type Resource } from "../sdk.ts";

/**
 * For `dependsOn`: waits until all of them are done, well or not.
 *
 * The SDK gives up on a resource that depends on a failed one: it is never registered, and an error about ourselves is printed. So a
 * failed one is named by its URN alone. Then the engine knows the whole fleet, and leaves out, one after the other, what depends
 * on what failed (PULUMI_CONTINUE_ON_ERROR).
 */
export function after(resources: readonly CustomResource[], parent?: Resource): Promise<Resource[]> {
  return Promise.all(resources.map(async (resource) => ((await isDone(resource)) ? resource : new DependencyResource(await urnOf(resource, parent)))));
}

// --- Internal ---

const isDone = (resource: CustomResource): Promise<boolean> => new Promise((done) => recover(resource.urn, () => "").apply((urn) => done(urn !== "")));

const urnOf = (resource: CustomResource, parent?: Resource): Promise<string> =>
  new Promise((done) => createUrn(resourceName(resource), resourceType(resource), parent).apply(done));
