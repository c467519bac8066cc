/**
 * The parts of Pulumi's SDK that Drydock uses, each from its own file.
 *
 * `@pulumi/pulumi` itself also loads the automation API, npm's own resolver and a TypeScript compiler, for what we never do
 * (turn functions into text): 0.5 s of a CPU in each of the two or three processes that one command starts
 * (docs/performance.md). All files below share their state with it, whoever loads it.
 */

export { RunError } from "@pulumi/pulumi/errors.js";
export * as log from "@pulumi/pulumi/log/index.js";
export { getStack } from "@pulumi/pulumi/metadata.js";
export { all, type Input, isSecret, Output, output, recover, secret } from "@pulumi/pulumi/output.js";
export { createUrn, CustomResource, DependencyResource, resourceName, resourceType, type CustomResourceOptions, type Resource } from "@pulumi/pulumi/resource.js";
export { isDryRun } from "@pulumi/pulumi/runtime/settings.js";
export { invoke } from "@pulumi/pulumi/runtime/invoke.js";
export { allConfig } from "@pulumi/pulumi/runtime/config.js";
