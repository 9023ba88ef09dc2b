import { createHash } from "node:crypto";
/** Kubernetes' limit for a label value and for a name that is one DNS label. */
const labelLimit = 63;

/** Label on every namespace that belongs to a tenant; its value is the tenant's name. */
export const tenantLabel = "kraft.dev/tenant";

/** Annotation on a tenant's namespace: the domains that its Ingresses may use, separated by commas. */
export const domainsAnnotation = "kraft.dev/domains";

/**
 * Annotation on a tenant's namespace: when a kubeconfig was last handed out and when it ends, both RFC 3339, and what opens
 * the guest with it: `2026-11-29T03:40:00Z 2027-11-29T03:40:00Z certificate`.
 */
export const kubeconfigAnnotation = "kraft.dev/kubeconfig";

/** Annotation on Longhorn's namespace, `"true"` where Kraft itself made the bucket of the backups. */
export const managedBucketAnnotation = "kraft.dev/managed-bucket";

/** The name under which Kraft owns the fields of its objects in the cluster. */
export const fieldManager = "kraft";

/** Annotation on every object that Kraft declares: a digest of the declaration (`components/field-manager.ts`). */
export const digestAnnotation = "kraft.dev/declared";

/** Label by which K3k binds a namespace to a VirtualClusterPolicy. */
export const policyLabel = "policy.k3k.io/policy-name";

/** Label that K3k gives to what it copies from a guest; its value is the Cluster's name. */
export const clusterLabel = "k3k.io/clusterName";

/** ResourceQuota in every tenant's namespace: on volumes, and on the number of objects. */
export const objectQuotaName = "kraft-objects";

/** The names of a tenant's objects on the host. */
export function tenantNames(tenant: string) {
  const policy = `tenant-${tenant}`;
  const server = k3kName(tenant, "server");
  return {
    namespace: `k3k-${tenant}`,
    /** Never the cluster's name: K3k would give both NetworkPolicies one name and delete it on every reconcile. */
    policy,
    cluster: tenant,
    /** The name that K3k 1.1.0 reads when it removes an etcd member, whatever `tokenSecretRef` says. */
    tokenSecret: k3kName(tenant, "token"),
    addonsSecret: `${tenant}-addons`,
    apiService: k3kName(tenant, "service"),
    /** Secret in which K3k keeps the guest's kubeconfig. */
    kubeconfigSecret: k3kName(tenant, "kubeconfig"),
    /** StatefulSet of the guest's API server. */
    server,
    /** DaemonSet by which the guest sees the host's nodes. */
    kubelet: k3kName(tenant, "kubelet"),
    /** ResourceQuota that K3k makes of the policy: it counts the tenant's own pods only. */
    podQuota: `k3k-${policy}`,
    /** Persistent volume claim of the guest's own datastore. */
    datastoreClaim: `varlibrancherk3s-${server}-0`,
  };
}

/** The tenant whose namespace this is, by its name alone; undefined where it cannot be a tenant's. */
export function tenantOfNamespace(namespace: string): string | undefined {
  const tenant = namespace.slice(tenantNames("").namespace.length);
  return tenantNamePattern.test(tenant) && tenantNames(tenant).namespace === namespace ? tenant : undefined;
}

/**
 * The most characters of a tenant's name. The claim of the guest's datastore is the longest name that K3k derives from it,
 * and must fit a label value: Longhorn keeps it in labels that a restore searches by.
 */
export const tenantNameLimit = labelLimit - tenantNames("").datastoreClaim.length;

/**
 * What a tenant may be called. Narrower than a DNS label, which also allows hyphens: Traefik joins namespace and
 * Ingress name with a hyphen into the name of a router, so that with tenants `a` and `a-b` one could take over a
 * router of the other.
 */
export const tenantNamePattern = /^[a-z][a-z0-9]*$/;

/** Names that would be mistaken for the platform's own. K3k itself refuses `system`. */
export const reservedTenantNames: ReadonlySet<string> = new Set(["default", "kraft", "kube", "platform", "system"]);

/**
 * The name that K3k gives an object of a cluster. Within `tenantNameLimit` none is so long that K3k would cut it and add a
 * digest, as it does from 64 characters on (`SafeConcatName` in its pkg/controller/controller.go).
 */
function k3kName(tenant: string, role: string): string {
  return `k3k-${tenant}-${role}`;
}

/** The names that K3k gives a guest's objects on the host, and the way back. */

/** What a guest calls an object. */
export interface GuestName {
  readonly name: string;
  readonly namespace: string;
}

/** K3k cuts names from here on, and ends them in a digest (`SafeConcatName` in its pkg/controller/controller.go). */
const longest = 63;

function safeName(text: string): string {
  if (text.length <= longest) {
    return text;
  }
  const digest = createHash("sha256").update(text).digest("hex");
  return /[a-z0-9]/.test(text[56] ?? "")
    ? `${text.slice(0, 57)}-${digest.slice(0, 5)}`
    : `${text.slice(0, 56)}-${digest.slice(0, 6)}`;
}

/** The host's name of a guest's object (`TranslateName` in K3k's k3k-kubelet/translate/host.go). */
export function syncedName(cluster: string, { name, namespace }: GuestName): string {
  const parts = [name, namespace, cluster];
  return safeName(`${parts.join("-")}-${Buffer.from(parts.join("+")).toString("hex")}`);
}

/**
 * What the guest calls the object that has this name on the host: the digits at the end are that name in hexadecimal.
 * Of a name that was cut the words before them are left; every way to part them is tried against the digest. Undefined
 * where K3k did not give the name, or cut too much of it.
 */
export function guestName(cluster: string, hostName: string): GuestName | undefined {
  const digits = /-([0-9a-f]+)$/.exec(hostName)?.[1] ?? "";
  const [name = "", namespace = ""] = Buffer.from(digits, "hex").toString("utf8").split("+");
  const candidates: GuestName[] = [{ name, namespace }];
  for (const end of positions(hostName, `-${cluster}-`)) {
    const words = hostName.slice(0, end);
    for (const hyphen of positions(words, "-")) {
      candidates.push({ name: words.slice(0, hyphen), namespace: words.slice(hyphen + 1) });
    }
  }
  return candidates.find((candidate) => syncedName(cluster, candidate) === hostName);
}

/** Where a part begins in a text. A match is empty, so that those that overlap are found, too. */
function positions(text: string, part: string): number[] {
  return [...text.matchAll(new RegExp(`(?=${part})`, "g"))].map(({ index }) => index);
}
