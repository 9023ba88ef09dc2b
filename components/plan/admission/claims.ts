import { byOperator, byVolumeBinder, list, valueOr } from "./expressions.ts";
import { claimRules, type GuestLimits } from "./guest-rules.ts";
import { type AdmissionPolicy, requestsFor, type Rule } from "./policy.ts";

/**
 * The volume claims of a tenant: only of the storage `classes` for tenants, which have a backup schedule, always a new
 * and empty volume, and without the labels and annotations by which the platform controls Longhorn.
 *
 * @param guest where the policy is for a guest, what it knows of the tenant
 */
export function claimPolicy(classes: readonly string[], guest?: GuestLimits): AdmissionPolicy {
  return {
    name: "kraft-tenant-claims",
    scope: guest === undefined ? "tenants" : "everywhere",
    requests: [requestsFor("v1", ["persistentvolumeclaims"])],
    variables: [
      {
        name: "ordersToLonghorn",
        expression: ["labels", "annotations"]
          .map((field) => `(${valueOr(`object.metadata.${field}`, "{}")})`)
          .map((keys) => `${keys}.filter(k, k.lowerAscii().contains('longhorn.io'))`)
          .join(" + "),
      },
    ],
    rules: [
      {
        expression: `has(object.spec.storageClassName) && object.spec.storageClassName in ${list(classes)}`,
        message: `spec.storageClassName must be one of ${classes.join(", ")}: only these are backed up`,
      },
      {
        // It takes precedence over the field.
        expression:
          "!has(object.metadata.annotations) || !('volume.beta.kubernetes.io/storage-class' in object.metadata.annotations)",
        message: "the annotation volume.beta.kubernetes.io/storage-class is not allowed: write spec.storageClassName",
      },
      {
        expression: "!has(object.spec.dataSource) && !has(object.spec.dataSourceRef)",
        message:
          "spec.dataSource and spec.dataSourceRef are not allowed: begin with an empty volume, and ask the operator to restore a backup",
      },
      {
        expression: "!has(object.spec.selector)",
        message: "spec.selector would choose among existing volumes: remove it, every claim gets a volume of its own",
      },
      {
        expression: "!has(object.spec.volumeAttributesClassName)",
        message: "spec.volumeAttributesClassName is not allowed: remove it",
      },
      {
        expression: "variables.ordersToLonghorn.size() == 0",
        message:
          "labels and annotations of longhorn.io are not allowed: choose a storage class for its schedule instead",
        messageExpression:
          "'labels and annotations that are not allowed on a claim: ' + variables.ordersToLonghorn.join(', ') + '; choose a storage class for its schedule instead'",
      },
      ...(guest === undefined ? [volumeOfHost] : [volumeOfGuest, ...claimRules(guest)]),
    ],
  };
}

/**
 * Kubernetes' own binder names the volume, and so does the operator who restores a backup. This holds for claims that no
 * tenant writes, too: Kubernetes creates those of a pod's ephemeral volumes as the pod says.
 */
const volumeOfHost: Rule = {
  expression:
    "!has(object.spec.volumeName) || object.spec.volumeName == '' || " +
    "(oldObject != null && has(oldObject.spec.volumeName) && oldObject.spec.volumeName == object.spec.volumeName) || " +
    `(${byVolumeBinder}) || (${byOperator})`,
  message: "spec.volumeName would take an existing volume: remove it, every claim gets a volume of its own",
};

/** In the guest K3k itself names the volume, a moment after the claim is created. */
const volumeOfGuest: Rule = {
  expression: "oldObject != null || !has(object.spec.volumeName) || object.spec.volumeName == ''",
  message: volumeOfHost.message,
};
