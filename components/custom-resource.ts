import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { apiVersions, type CustomKinds } from "./plan/custom-kinds.ts";

/**
 * Declares an object of one of `CustomKinds`, with its `spec` checked against the fields that Kraft uses.
 *
 * @param name Pulumi's logical name, which never changes.
 */
export function customResource<Kind extends keyof CustomKinds>(
  name: string,
  kind: Kind,
  metadata: kubernetes.types.input.meta.v1.ObjectMeta,
  spec: CustomKinds[Kind],
  opts: CustomResourceOptions,
): kubernetes.apiextensions.CustomResource {
  return new kubernetes.apiextensions.CustomResource(
    name,
    { apiVersion: apiVersions[kind], kind, metadata, spec },
    opts,
  );
}
