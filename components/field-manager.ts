import { createHash } from "node:crypto";
import { Output, type ResourceTransform } from "@pulumi/pulumi";
import { digestAnnotation, fieldManager } from "./plan/names.ts";

/**
 * For the `transforms` of components: makes every Kubernetes object below them Kraft's own, those of charts too.
 *
 * - One field manager. Pulumi's provider makes up another name for each object that it creates, so that objects of a run that
 *   was killed would be owned by an unknown field manager.
 * - What was changed by hand is taken back, whoever has become its field manager.
 * - A digest of what is declared. Pulumi does not see a field that is missing from its state, such as one that a killed run
 *   added. But that run also changed the digest, so the next one applies the object again, and the API server removes what
 *   its field manager no longer declares.
 *
 * CustomResourceDefinitions are left alone: the provider replaces them as a whole, and with a changed field manager it would
 * try to empty them (`updateResource` in pkg/await/await.go and `Relinquish` in pkg/ssa/actions.go of pulumi-kubernetes 4.25).
 */
export const ownFields: ResourceTransform = ({ custom, type, props, opts }) => {
  if (!custom || !type.startsWith("kubernetes:") || type.endsWith(":CustomResourceDefinition")) {
    return undefined;
  }
  const { metadata, ...rest } = props as { readonly metadata?: { readonly annotations?: object } };
  const annotations = {
    ...metadata?.annotations,
    "pulumi.com/patchFieldManager": fieldManager,
    "pulumi.com/patchForce": "true",
    [digestAnnotation]: digestOf(props),
  };
  return { props: { ...rest, metadata: { ...metadata, annotations } }, opts };
};

/** The same for the same declaration, whatever the order of its keys. Nothing of a secret is in it. */
function digestOf(declared: unknown): string {
  return createHash("sha256").update(JSON.stringify(declared, withSortedKeys)).digest("hex").slice(0, 12);
}

function withSortedKeys(_key: string, value: unknown): unknown {
  if (Output.isInstance(value)) {
    return "secret or not known yet";
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;
}
