import { apiGroupOf, type Change } from "./change.ts";

/** What was changed in the cluster without the program, by how much it matters. */
export interface Drift {
  /** Tenant isolation or tenants' data: somebody has to look at once. */
  readonly security: readonly Change[];
  /** The next `pulumi up` reverts it. */
  readonly other: readonly Change[];
  /** Controllers write it in normal operation. */
  readonly harmless: readonly Change[];
}

/** Kinds that isolate tenants with every property they have, by API group. */
const isolatingKinds: Readonly<Record<string, readonly string[]>> = {
  "": ["LimitRange", "ResourceQuota", "Secret", "ServiceAccount"],
  "networking.k8s.io": ["NetworkPolicy"],
  "admissionregistration.k8s.io": [
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
  ],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
  "scheduling.k8s.io": ["PriorityClass"],
  "k3k.io": ["Cluster", "VirtualClusterPolicy"],
};

/** Properties that controllers and the API server write, whatever the kind. */
const writtenByControllers: readonly RegExp[] = [
  /^status($|[.[])/,
  /^metadata\.(creationTimestamp|finalizers|generation|managedFields|ownerReferences|resourceVersion|selfLink|uid)($|[.[])/,
  /^metadata\.annotations\["(deployment\.kubernetes\.io|control-plane\.alpha\.kubernetes\.io|kubectl\.kubernetes\.io|meta\.helm\.sh)\//,
  // cert-manager's CA injector.
  /^webhooks\[[^\]]+\]\.clientConfig\.caBundle$/,
  /^spec\.conversion\.webhook\.clientConfig\.caBundle$/,
];

/** A namespace's labels select policies and Pod Security; the annotation says which domains belong to whom. */
const isolatingNamespaceField = /^metadata\.(labels($|[.[])|annotations($|\["kraft\.dev\/))/;

/** Sorts the changes that a preview of a refresh found. */
export function driftOf(changes: readonly Change[]): Drift {
  const { security = [], other = [], harmless = [] } = Object.groupBy(changes, severityOf);
  return { security, other, harmless };
}

function severityOf(change: Change): keyof Drift {
  const { kind, operation, fields, loss } = change;
  const written = fields.filter(({ path }) => !writtenByControllers.some((pattern) => pattern.test(path)));
  if (operation === "update" && fields.length > 0 && written.length === 0) {
    return "harmless";
  }
  const group = apiGroupOf(change);
  const isIsolatingNamespace =
    group === "" &&
    kind === "Namespace" &&
    (operation !== "update" || written.some(({ path }) => isolatingNamespaceField.test(path)));
  return loss !== undefined || isolatingKinds[group]?.includes(kind) === true || isIsolatingNamespace
    ? "security"
    : "other";
}
