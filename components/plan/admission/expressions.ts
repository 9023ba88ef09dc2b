import { domainsAnnotation } from "../names.ts";

// CEL expressions that several policies share.

/** A CEL expression and what it is called. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

/** True, in CEL, of a request that makes an object. */
export const isNew = "request.operation == 'CREATE'";

/** The value of an optional field in CEL, and what counts where it is absent. */
export function valueOr(field: string, otherwise: string): string {
  return `has(${field}) ? ${field} : ${otherwise}`;
}

/** A text as CEL writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A list of texts as CEL writes it. */
export function list(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(", ")}]`;
}

/** True, in CEL, if an expression about a container `c` is true for every container of the pod with this spec. */
export function everyContainer(expression: string, spec = "object.spec"): string {
  return ["containers", "initContainers", "ephemeralContainers"]
    .map((field) => `(!has(${spec}.${field}) || ${spec}.${field}.all(c, ${expression}))`)
    .join(" && ");
}

/**
 * True, in CEL, if `condition` is true for every term of a pod's affinity of one kind, required and preferred.
 *
 * @param kind `podAffinity` or `podAntiAffinity`
 */
export function affinityTerms(kind: string, spec: string, condition: (term: string) => string): string {
  const affinity = `${spec}.affinity.${kind}`;
  const required = `${affinity}.requiredDuringSchedulingIgnoredDuringExecution`;
  const preferred = `${affinity}.preferredDuringSchedulingIgnoredDuringExecution`;
  return (
    `(!has(${spec}.affinity) || !has(${affinity}) || (` +
    `(!has(${required}) || ${required}.all(t, ${condition("t")})) && ` +
    `(!has(${preferred}) || ${preferred}.all(t, ${condition("t.podAffinityTerm")}))))`
  );
}

/**
 * True, in CEL, for service accounts of a tenant's namespace. K3k's kubelet in it is the only way from a guest to the
 * host: it makes every request that follows from what a tenant writes in the guest.
 */
export const byTenant =
  "request.userInfo.groups.exists(g, g.startsWith('system:serviceaccounts:k3k-') && g != 'system:serviceaccounts:k3k-system')";

/** Limits a policy to requests of tenants. */
export const onlyByTenant: NamedExpression[] = [{ name: "by-a-tenant", expression: byTenant }];

const workloadControllers = [
  "system:serviceaccount:kube-system:daemon-set-controller",
  "system:serviceaccount:kube-system:statefulset-controller",
];

/**
 * True, in CEL, for the controllers that create K3k's own pods, of a DaemonSet and a StatefulSet, which tenants cannot.
 */
export const byWorkloadController = `${list(workloadControllers)}.exists(u, u == request.userInfo.username)`;

/** True, in CEL, for the controller that binds claims to volumes. */
export const byVolumeBinder =
  "request.userInfo.username == 'system:serviceaccount:kube-system:persistent-volume-binder'";

/** True, in CEL, for the administrator's kubeconfig of k3s and of Talos, whose certificates name this group. */
export const byOperator = "request.userInfo.groups.exists(g, g == 'system:masters')";

/**
 * Matches the name of every object that K3k copies from a guest: it ends in a hyphen and at least five hexadecimal digits
 * (`SafeConcatName` in its pkg/controller/controller.go). Nothing else that K3k, cert-manager or Kraft creates in a
 * tenant's namespace has such a name.
 */
export const syncedNamePattern = "^.+-[0-9a-f]{5,}$";

const annotation = quoted(domainsAnnotation);

/** The domains in the annotation of the tenant's namespace, in CEL; none where it has none. */
export const domainsOfNamespace =
  `has(namespaceObject.metadata.annotations) && ${annotation} in namespaceObject.metadata.annotations ? ` +
  `namespaceObject.metadata.annotations[${annotation}].split(',') : []`;

/** A variable that lists those of `names`, a list in CEL, that are outside of `variables.domains`. */
export function outsideDomains(name: string, names: string): NamedExpression {
  return { name, expression: `${names}.filter(h, !variables.domains.exists(d, h == d || h.endsWith('.' + d)))` };
}

/** Which annotations are allowed, of those that a controller acts on. */
export interface AllowedAnnotations {
  /** Domains whose annotations are refused, except for those below. All other domains are the tenant's own. */
  readonly closed: readonly string[];
  /** Allowed names, matched case-sensitively although Traefik ignores case. */
  readonly exact: readonly string[];
  /** Allowed beginnings of names. */
  readonly prefixes: readonly string[];
}

/**
 * The annotations of an object that are refused, in CEL. A new annotation of a controller is refused until somebody has
 * reviewed and listed it.
 */
export function foreignAnnotations({ closed, exact, prefixes }: AllowedAnnotations): string {
  return (
    `(${valueOr("object.metadata.annotations", "{}")}).filter(k, ${list(closed)}.exists(d, k.lowerAscii().startsWith(d + '/') || k.lowerAscii().contains('.' + d + '/')) && ` +
    `!(k in ${list(exact)}) && !${list(prefixes)}.exists(p, k.startsWith(p)))`
  );
}
