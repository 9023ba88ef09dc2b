import { valueOr } from "./expressions.ts";
import type { Rule } from "./policy.ts";

// The template of an ephemeral volume may have no metadata.

/** The labels and annotations of a claim that are orders to Longhorn, as a list in CEL. */
export function ordersToLonghorn(claim: string): string {
  return ["labels", "annotations"]
    .map((field) => `(has(${claim}.metadata) && ${valueOr(`${claim}.metadata.${field}`, "{}")})`)
    .map((keys) => `${keys}.filter(k, k.lowerAscii().contains('longhorn.io'))`)
    .join(" + ");
}

/** What makes a claim anything but a new and empty volume, the same for claims and for the templates of claims. */
export function newVolumeRules(claim: string): readonly Rule[] {
  return [
    {
      // It takes precedence over the field.
      expression: `!has(${claim}.metadata) || !has(${claim}.metadata.annotations) || !('volume.beta.kubernetes.io/storage-class' in ${claim}.metadata.annotations)`,
      message: "the annotation volume.beta.kubernetes.io/storage-class is not allowed: write spec.storageClassName",
    },
    {
      expression: `!has(${claim}.spec.dataSource) && !has(${claim}.spec.dataSourceRef)`,
      message:
        "spec.dataSource and spec.dataSourceRef are not allowed: begin with an empty volume, and ask the operator to restore a backup",
    },
    {
      expression: `!has(${claim}.spec.selector)`,
      message: "spec.selector would choose among existing volumes: remove it, every claim gets a volume of its own",
    },
    {
      expression: `!has(${claim}.spec.volumeAttributesClassName)`,
      message: "spec.volumeAttributesClassName is not allowed: remove it",
    },
  ];
}
