// What tenants may do on the host through K3k's kubelet, which has far more rights than it uses.
import { list, onlyByTenant, quoted, syncedNamePattern } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor } from "./policy.ts";

/**
 * In their namespace on the host, tenants may change only what K3k copied from the guest. The rest is the platform's: the
 * guest's token and certificates, its datastore, cert-manager's keys, K3k's own pods.
 *
 * K3k's kubelet has every right on secrets, config maps, claims, services, pods and Ingresses of the namespace.
 */
export const writePolicy: AdmissionPolicy = {
  name: "kraft-tenant-writes",
  scope: "tenants",
  requests: [
    requestsFor(
      "v1",
      ["configmaps", "persistentvolumeclaims", "pods", "pods/ephemeralcontainers", "secrets", "services"],
      ["CREATE", "UPDATE", "DELETE"],
    ),
    requestsFor("networking.k8s.io/v1", ["ingresses"], ["CREATE", "UPDATE", "DELETE"]),
  ],
  conditions: onlyByTenant,
  variables: [
    { name: "owners", expression: owners("object") },
    { name: "previousOwners", expression: owners("oldObject") },
    { name: "finalizers", expression: finalizers("object") },
    { name: "previousFinalizers", expression: finalizers("oldObject") },
    {
      name: "name",
      expression:
        "oldObject != null ? oldObject.metadata.name : (has(object.metadata.name) ? object.metadata.name : '')",
    },
  ],
  rules: [
    {
      expression: `variables.name.matches(${quoted(syncedNamePattern)})`,
      message:
        "this object belongs to the platform: only what K3k copied from the guest may be created, changed or deleted",
      messageExpression:
        "variables.name + ' belongs to the platform: only what K3k copied from the guest may be created, changed or deleted'",
    },
    {
      // Kubernetes itself adds `pvc-protection`, which keeps a claim while a pod uses it.
      expression:
        "variables.finalizers.all(f, f == 'kubernetes.io/pvc-protection' || f in variables.previousFinalizers)",
      message:
        "a finalizer would keep the platform from removing the object: leave it out, K3k does not copy those of the guest",
    },
    {
      expression: "(variables.owners + variables.previousOwners).all(kind, kind == 'Cluster')",
      message:
        "an object that another controller owns may not be created, changed or deleted: it belongs to the platform",
    },
  ],
};

/** Kinds of the owners of `object`, in CEL; none where there is no such object. */
function owners(object: string): string {
  return `${object} != null && has(${object}.metadata.ownerReferences) ? ${object}.metadata.ownerReferences.map(o, o.kind) : []`;
}

/** Finalizers of `object`, in CEL; none where there is no such object. */
function finalizers(object: string): string {
  return `${object} != null && has(${object}.metadata.finalizers) ? ${object}.metadata.finalizers : []`;
}

/** Tenants may connect to their own pods, not to K3k's or cert-manager's in the same namespace. */
export const connectPolicy: AdmissionPolicy = {
  name: "kraft-tenant-connections",
  scope: "tenants",
  requests: [
    requestsFor("v1", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"], ["CONNECT"]),
  ],
  conditions: onlyByTenant,
  rules: [
    {
      // One in ninety of the names that Kubernetes generates looks like that of a copy.
      expression: `request.name.matches(${quoted(syncedNamePattern)}) && !request.name.matches('^(k3k-[a-z0-9]+-kubelet|cm-acme-http-solver)-[a-z0-9]{5}$')`,
      message: "this pod belongs to the platform: only pods that K3k copied from the guest may be entered",
    },
  ],
};

/** Refuses Secrets that would make Kubernetes itself issue a credential. K3k copies such a Secret like any other. */
export const secretPolicy: AdmissionPolicy = {
  name: "kraft-tenant-secrets",
  scope: "tenants",
  requests: [requestsFor("v1", ["secrets"])],
  conditions: onlyByTenant,
  rules: [
    {
      expression:
        "!has(object.type) || !(object.type in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])",
      message: "a Secret of this type would be a credential of the host: use another type, for example Opaque",
    },
  ],
};

/** The one type of Secret that the host refuses, in a guest. Tokens of service accounts K3k copies as `Opaque`. */
export const guestSecretPolicy: AdmissionPolicy = {
  name: "kraft-tenant-secrets",
  scope: "everywhere",
  requests: [requestsFor("v1", ["secrets"], ["CREATE"])],
  rules: [
    {
      expression: "!has(object.type) || object.type != 'bootstrap.kubernetes.io/token'",
      message:
        "a Secret of the type bootstrap.kubernetes.io/token would let a machine join, and no machine can join here: use another type, for example Opaque",
    },
  ],
};

/**
 * K3k gives every pod of a guest one class of the host, and Kubernetes refuses a pod that says otherwise than its class about
 * preemption.
 */
export const guestPriorityClassPolicy: AdmissionPolicy = {
  name: "kraft-tenant-priority-classes",
  scope: "everywhere",
  requests: [requestsFor("scheduling.k8s.io/v1", ["priorityclasses"], ["CREATE"])],
  rules: [
    {
      expression: "!has(object.preemptionPolicy) || object.preemptionPolicy != 'Never'",
      message: "preemptionPolicy: Never is not possible, and no pod with this class would start: remove it",
    },
  ],
};

/**
 * K3k gives its kubelets every right on the host's priority classes, for a synchronisation that is switched off. With a
 * class of their own, tenants could preempt all others.
 */
export const priorityClassPolicy: AdmissionPolicy = {
  name: "kraft-tenant-priority-classes",
  scope: "everywhere",
  requests: [requestsFor("scheduling.k8s.io/v1", ["priorityclasses"], ["CREATE", "UPDATE", "DELETE"])],
  conditions: onlyByTenant,
  rules: [
    {
      expression: "false",
      message: "priority classes of the host are the platform's: those of a guest count inside the guest only",
    },
  ],
};

/** What K3k's kubelets read from a node's kubelet, for `kubectl top`: the use of CPU and memory, nothing else. */
const usagePaths = ["stats/summary", "metrics/resource"].flatMap((path) => [path, `/${path}`]);

/** K3k lets its kubelets call every node's kubelet, which shows the logs of all tenants' pods and runs commands in them. */
export const nodePolicy: AdmissionPolicy = {
  name: "kraft-tenant-nodes",
  scope: "everywhere",
  requests: [requestsFor("v1", ["nodes/proxy"], ["CONNECT"])],
  conditions: onlyByTenant,
  rules: [
    {
      expression: `has(object.path) && object.path in ${list(usagePaths)}`,
      message: "of a node only stats/summary and metrics/resource may be read: the rest is the platform's",
    },
  ],
};
