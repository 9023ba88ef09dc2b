import { apiVersions } from "../../components/plan/custom-kinds.ts";
import { mutatingPolicyApi } from "../../components/plan/machines/api-server.ts";

interface IsolatingKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** The collection of all of them, in all namespaces. */
  readonly path: string;
}

function kinds(apiVersion: string, names: Readonly<Record<string, string>>): IsolatingKind[] {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return Object.entries(names).map(([kind, plural]) => ({ apiVersion, kind, path: `${root}/${plural}` }));
}

/** Kinds that keep tenants apart with every property they have. */
export const isolatingKinds: readonly IsolatingKind[] = [
  ...kinds("v1", {
    LimitRange: "limitranges",
    ResourceQuota: "resourcequotas",
    Secret: "secrets",
    ServiceAccount: "serviceaccounts",
  }),
  ...kinds("networking.k8s.io/v1", { NetworkPolicy: "networkpolicies" }),
  ...kinds("admissionregistration.k8s.io/v1", {
    MutatingWebhookConfiguration: "mutatingwebhookconfigurations",
    ValidatingAdmissionPolicy: "validatingadmissionpolicies",
    ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
    ValidatingWebhookConfiguration: "validatingwebhookconfigurations",
  }),
  ...kinds(mutatingPolicyApi, {
    MutatingAdmissionPolicy: "mutatingadmissionpolicies",
    MutatingAdmissionPolicyBinding: "mutatingadmissionpolicybindings",
  }),
  ...kinds("rbac.authorization.k8s.io/v1", {
    ClusterRole: "clusterroles",
    ClusterRoleBinding: "clusterrolebindings",
    Role: "roles",
    RoleBinding: "rolebindings",
  }),
  ...kinds("scheduling.k8s.io/v1", { PriorityClass: "priorityclasses" }),
  ...kinds(apiVersions.Cluster, { Cluster: "clusters", VirtualClusterPolicy: "virtualclusterpolicies" }),
];

/**
 * Kinds of which a run looks for fields that somebody added: those above and two whose labels and parameters count as well.
 * Not Secrets, of which a run need not read every tenant's.
 */
export const kindsToRead: readonly IsolatingKind[] = [
  ...isolatingKinds.filter(({ kind }) => kind !== "Secret"),
  ...kinds("v1", { Namespace: "namespaces" }),
  ...kinds("storage.k8s.io/v1", { StorageClass: "storageclasses" }),
];
