import { byOperator, byVolumeBinder, list } from "./expressions.ts";
import { claimRules, type GuestLimits } from "./guest-rules.ts";
import { newVolumeRules, ordersToLonghorn } from "./new-volume-rules.ts";
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
    variables: [{ name: "ordersToLonghorn", expression: ordersToLonghorn("object") }],
    rules: [
      {
        expression: `has(object.spec.storageClassName) && object.spec.storageClassName in ${list(classes)}`,
        message: `spec.storageClassName must be one of ${classes.join(", ")}: only these are backed up`,
        messageExpression: `'spec.storageClassName must be one of ${classes.join(", ")}: only these are backed up; found ' + (has(object.spec.storageClassName) ? object.spec.storageClassName : 'none') + ', write one of them'`,
      },
      ...newVolumeRules("object"),
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
