import type { Change, Operation } from "../../../../kraft/diff/change.ts";
import type { PreviewStep, ResourceState } from "../../../../kraft/diff/preview.ts";

type Fields = Readonly<Record<string, unknown>>;

/** URN of a resource as the program names it: a tenant's is in its component. */
export function urn(name: string, type = "kubernetes:core/v1:Namespace"): string {
  const parent = name.startsWith("tenant-") ? "kraft:index:Tenant$" : "kraft:index:Longhorn$";
  return `urn:pulumi:local::kraft::${parent}${type}::${name}`;
}

export function state(inputs: Fields, more: Partial<ResourceState> = {}): ResourceState {
  return { inputs, outputs: {}, custom: true, ...more };
}

export function step(operation: string, name: string, more: Partial<PreviewStep> = {}): PreviewStep {
  return { operation, urn: urn(name), detailedDiff: {}, replaceKeys: [], ...more };
}

export function change(operation: Operation, more: Partial<Change> = {}): Change {
  return {
    owner: "acme",
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: "k3k-acme",
    name: "settings",
    resource: "tenant-acme-settings",
    operation,
    fields: [],
    ...more,
  };
}
