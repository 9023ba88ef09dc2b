import { type GuestCluster, hostName, type KubernetesObject, synced, type SyncOptions } from "../translate.ts";

/** Who writes an object. */
export type Identity =
  "k3k-kubelet" | "k3k-controller" | "cert-manager" | "statefulset-controller" | "daemonset-controller" | "operator";

/** One request that must be accepted. */
export interface LegitimateObject {
  /** What it is, unique in the list. */
  readonly name: string;
  /** What it is written from: a source file, a chart, a page of documentation. */
  readonly source: string;
  readonly as: Identity;
  /** `create` where nothing is said. */
  readonly operation?: "create" | "update";
  /** Of a pod, for an update that does not go to the pod itself. */
  readonly subresource?: "ephemeralcontainers";
  /**
   * The object as it is sent. Controllers that let the API server choose a name send `generateName` and no name. What
   * the cluster has already is answered with 409, or with an exceeded quota: both come after every admission policy.
   */
  readonly object: KubernetesObject;
  /** For an update: the object that it finds. */
  readonly before?: KubernetesObject;
  /**
   * For an update: what the writer makes of the object as it finds it. `object` is this of `before`; against a real API
   * server it belongs on what the server answers, which has filled in fields that nobody may change.
   */
  readonly change?: (existing: KubernetesObject) => KubernetesObject;
}

/** The host that a list of legitimate objects is for. */
export interface Host {
  readonly cluster: GuestCluster;
  /**
   * The first three octets of addresses that no other Service has. The lowest 256 of a service network are the last to
   * be handed out.
   */
  readonly serviceNetwork: string;
  /** Class of the host that the tenant's policy gives every pod of the guest; none where nothing is said. */
  readonly priorityClass?: string;
  /** Whether K3k renames the Secrets in an Ingress' `tls` too. */
  readonly translateTls: boolean;
  /** Class of the host that the Cluster gives the guest's server; none where nothing is said. */
  readonly serverPriorityClass?: string;
}

/** An object of the guest, and what it stands for. */
export interface GuestWork {
  readonly name: string;
  readonly source: string;
  readonly object: KubernetesObject;
}

/** What K3k's syncer writes for objects of the guest, whatever K3k's release. */
export function syncedObjects(host: Host, file: string, work: readonly GuestWork[]): LegitimateObject[] {
  return work.map(({ name, source, object }) => ({
    name,
    source: `${source}; k3k v1.1.0 k3k-kubelet/controller/syncer/${file}`,
    as: "k3k-kubelet",
    object: synced(host.cluster, object, syncOptions(host)),
  }));
}

/** K3k's syncer replaces the host's object by what it makes of the guest's, without looking at what is there. */
export function syncedUpdate(
  host: Host,
  file: string,
  work: { readonly name: string; readonly source: string },
  guest: { readonly before: KubernetesObject; readonly after: KubernetesObject },
): LegitimateObject {
  return updateEntry({
    name: work.name,
    source: `${work.source}; k3k v1.1.0 k3k-kubelet/controller/syncer/${file}`,
    as: "k3k-kubelet",
    before: synced(host.cluster, guest.before, syncOptions(host)),
    change: () => synced(host.cluster, guest.after, syncOptions(host)),
  });
}

/** An entry for an update, with the object that follows from the change. */
export function updateEntry(
  entry: Omit<LegitimateObject, "operation" | "object"> & Required<Pick<LegitimateObject, "before" | "change">>,
): LegitimateObject {
  return { ...entry, operation: "update", object: entry.change(entry.before) };
}

/** How K3k translates on this host. */
export function syncOptions({ priorityClass, translateTls }: Host): SyncOptions {
  return { translateTls, ...(priorityClass === undefined ? {} : { priorityClass }) };
}

/** The name on the host of an object in one of the guest's namespaces. */
export function nameOnHost(host: Host, namespace: string, name: string): string {
  return hostName(host.cluster, name, namespace);
}

/** The name on the host of a Secret in the `tls` of a guest's Ingress. */
export function tlsNameOnHost(host: Host, namespace: string, name: string): string {
  return host.translateTls ? nameOnHost(host, namespace, name) : name;
}

/** Text as a Secret's `data` holds it. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
