// What a tenant may do on the host through K3k's kubelet, which has far more rights than it uses.
import { byTenant, syncedName } from "./identities.ts";
import { list, quoted, type AdmissionPolicy } from "./policy.ts";

/**
 * What a tenant may touch in their namespace on the host at all: what K3k copied from the guest. The rest is the
 * platform's: the guest's token and certificates, its datastore, cert-manager's keys, K3k's own pods.
 *
 * K3k's kubelet has every right on secrets, config maps, claims, services, pods and Ingresses of the namespace.
 */
export const writePolicy: AdmissionPolicy = {
  name: "kraft-tenant-writes",
  scope: "tenants",
  requests: [
    {
      apiGroups: [""],
      apiVersions: ["v1"],
      resources: ["configmaps", "persistentvolumeclaims", "pods", "pods/ephemeralcontainers", "secrets", "services"],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
    {
      apiGroups: ["networking.k8s.io"],
      apiVersions: ["v1"],
      resources: ["ingresses"],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
  ],
  conditions: [{ name: "by-a-tenant", expression: byTenant }],
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
      expression: `variables.name.matches(${quoted(syncedName)})`,
      message:
        "this object belongs to the platform: only what K3k copied from the guest may be created, changed or deleted",
      messageExpression:
        "variables.name + ' belongs to the platform: only what K3k copied from the guest may be created, changed or deleted'",
    },
    {
      // Kubernetes itself adds the one that keeps a claim while a pod uses it.
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

/** Kinds of the objects that own `object`; none where there is no such object. */
function owners(object: string): string {
  return `${object} != null && has(${object}.metadata.ownerReferences) ? ${object}.metadata.ownerReferences.map(o, o.kind) : []`;
}

/** Finalizers of `object`; none where there is no such object. */
function finalizers(object: string): string {
  return `${object} != null && has(${object}.metadata.finalizers) ? ${object}.metadata.finalizers : []`;
}

/** Into which pods a tenant may open a connection: into their own, not into K3k's or cert-manager's beside them. */
export const connectPolicy: AdmissionPolicy = {
  name: "kraft-tenant-connections",
  scope: "tenants",
  requests: [
    {
      apiGroups: [""],
      apiVersions: ["v1"],
      resources: ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"],
      operations: ["CONNECT"],
    },
  ],
  conditions: [{ name: "by-a-tenant", expression: byTenant }],
  rules: [
    {
      // One in ninety of the names that Kubernetes makes up looks like a copy's.
      expression: `request.name.matches(${quoted(syncedName)}) && !request.name.matches('^(k3k-[a-z0-9]+-kubelet|cm-acme-http-solver)-[a-z0-9]{5}$')`,
      message: "this pod belongs to the platform: only pods that K3k copied from the guest may be entered",
    },
  ],
};

/** Secrets that would make Kubernetes itself hand out a credential. K3k copies such a Secret as an ordinary one. */
export const secretPolicy: AdmissionPolicy = {
  name: "kraft-tenant-secrets",
  scope: "tenants",
  requests: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["secrets"], operations: ["CREATE", "UPDATE"] }],
  conditions: [{ name: "by-a-tenant", expression: byTenant }],
  rules: [
    {
      expression:
        "!has(object.type) || !(object.type in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])",
      message: "a Secret of this type would be a credential of the host: use another type, for example Opaque",
    },
  ],
};

/**
 * K3k gives its kubelets every right on the host's priority classes, for a synchronisation that is switched off. With
 * one of them a tenant would go before all others.
 */
export const priorityClassPolicy: AdmissionPolicy = {
  name: "kraft-tenant-priority-classes",
  scope: "everywhere",
  requests: [
    {
      apiGroups: ["scheduling.k8s.io"],
      apiVersions: ["v1"],
      resources: ["priorityclasses"],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
  ],
  conditions: [{ name: "by-a-tenant", expression: byTenant }],
  rules: [
    {
      expression: "false",
      message: "priority classes of the host are the platform's: those of a guest count inside the guest only",
    },
  ],
};

/** What K3k's kubelets read of the kubelet of a node, for `kubectl top`: the use of CPU and memory, nothing else. */
const usage = ["stats/summary", "metrics/resource"].flatMap((path) => [path, `/${path}`]);

/**
 * K3k lets its kubelets call every node's own kubelet, which knows the logs of all tenants' pods and runs commands in
 * them.
 */
export const nodePolicy: AdmissionPolicy = {
  name: "kraft-tenant-nodes",
  scope: "everywhere",
  requests: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["nodes/proxy"], operations: ["CONNECT"] }],
  conditions: [{ name: "by-a-tenant", expression: byTenant }],
  rules: [
    {
      expression: `has(object.path) && object.path in ${list(usage)}`,
      message: "of a node only stats/summary and metrics/resource may be read: the rest is the platform's",
    },
  ],
};
