import type { Change } from "./changes.ts";
import type { FieldChange } from "./fields.ts";

/** What somebody or something changed in the cluster behind the program's back, by how much it matters. */
export interface Drift {
  /** What keeps tenants apart, or their data: somebody has to look at once. */
  readonly security: readonly Change[];
  /** Neither: the next `pulumi up` sets it right. */
  readonly other: readonly Change[];
  /** What controllers write as they should. */
  readonly harmless: readonly Change[];
}

/** Kinds of which every property is part of a wall, by API group. */
const walls: Readonly<Record<string, readonly string[]>> = {
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

/** What controllers and the API server write into objects, whatever their kind. */
const controllers: readonly RegExp[] = [
  /^status($|[.[])/,
  /^metadata\.(creationTimestamp|finalizers|generation|managedFields|ownerReferences|resourceVersion|selfLink|uid)($|[.[])/,
  /^metadata\.annotations\["(deployment\.kubernetes\.io|control-plane\.alpha\.kubernetes\.io|kubectl\.kubernetes\.io|meta\.helm\.sh)\//,
  // cert-manager's CA injector.
  /^webhooks\[[^\]]+\]\.clientConfig\.caBundle$/,
  /^spec\.conversion\.webhook\.clientConfig\.caBundle$/,
];

/** Sorts what a preview of a refresh found. */
export function driftOf(changes: readonly Change[]): Drift {
  const sorts = Map.groupBy(changes, sortOf);
  return {
    security: sorts.get("security") ?? [],
    other: sorts.get("other") ?? [],
    harmless: sorts.get("harmless") ?? [],
  };
}

function sortOf(change: Change): keyof Drift {
  const { apiVersion, kind, operation, fields, loss } = change;
  const meant = fields.filter(({ path }) => !controllers.some((pattern) => pattern.test(path)));
  if (operation === "update" && fields.length > 0 && meant.length === 0) {
    return "harmless";
  }
  const [group = ""] = apiVersion.includes("/") ? apiVersion.split("/") : [""];
  if (loss !== undefined || (walls[group] ?? []).includes(kind)) {
    return "security";
  }
  return group === "" && kind === "Namespace" && (operation !== "update" || meant.some(isOfWall))
    ? "security"
    : "other";
}

/** Labels of a namespace select policies and Pod Security; the annotation says which domains are whose. */
function isOfWall({ path }: FieldChange): boolean {
  return (
    /^metadata\.labels($|[.[])/.test(path) ||
    path.startsWith('metadata.annotations["kraft.dev/') ||
    path === "metadata.annotations"
  );
}
