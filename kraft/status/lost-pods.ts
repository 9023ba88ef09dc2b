import { type Cluster, condition, hasEnded, type Pod } from "../../cluster/objects.ts";
import { suspendedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { syncedName, tenantNames } from "../../components/plan/names.ts";
import type { Finding } from "./report.ts";

/** A guest's pods as it knows them, and all that the host has in its namespace, K3k's own among them. */
export interface GuestPods {
  readonly inGuest: readonly Pod[];
  readonly onHost: readonly Pod[];
}

/** Guests that were looked into, by tenant: their pods, or why nobody could. */
export type LookedInto = ReadonlyMap<string, GuestPods | string>;

/** Names of the guests whose API should answer: those that are Ready, and neither stopped nor being deleted. */
export function answeringGuests(clusters: readonly Cluster[]): readonly string[] {
  return clusters
    .filter(
      ({ metadata, status }) =>
        status?.phase === "Ready" &&
        metadata.deletionTimestamp === undefined &&
        metadata.annotations?.[suspendedAtAnnotation] === undefined,
    )
    .map(({ metadata }) => metadata.name);
}

/** What a pod says in the guest that the host refused, for example for want of quota: that is the tenant's own. */
const refusedByHost = "ProviderFailed";

/** Milliseconds that K3k's kubelet has for a pod that is new, or after its own start. */
const patience = 60_000;

/**
 * Pods that a guest has on a node, and that the host does not have. K3k's kubelets may miss that a pod is gone from the host
 * (rancher/k3k#454), and those of 1.1.0 delete each other's pods when they start (rancher/k3k#1021). The guest then shows them
 * as `Running` or `Pending` until the K3k kubelet of that node starts again.
 *
 * They are told apart by name: K3k's annotations are gone from a pod of the host once its guest has changed that (`updatePod` in
 * k3k-kubelet/provider/provider.go of 1.1.0).
 */
export function lostPods(tenant: string, { inGuest, onHost }: GuestPods, now: Date): Finding[] {
  const { cluster, namespace } = tenantNames(tenant);
  const isOld = (moment: unknown): boolean => now.getTime() - new Date(String(moment)).getTime() > patience;
  const known = new Set(onHost.map(({ metadata }) => metadata.name));
  const settled = new Set(
    onHost.filter((pod) => isKubelet(pod) && isOld(startOf(pod))).map(({ spec }) => spec?.nodeName),
  );
  const lost = inGuest.filter(
    (pod) =>
      settled.has(pod.spec?.nodeName) &&
      !hasEnded(pod) &&
      pod.status?.reason !== refusedByHost &&
      isOld(pod.metadata.creationTimestamp) &&
      !known.has(syncedName(cluster, { name: pod.metadata.name, namespace: pod.metadata.namespace ?? "" })),
  );
  return [...Map.groupBy(lost, ({ spec }) => spec?.nodeName ?? "")].sort().map(([node, pods]) => {
    const names = pods.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`).sort();
    return {
      critical:
        `its guest has ${names.join(", ")} on ${node}, and the host has no such pod: ` +
        `kubectl -n ${namespace} delete pod -l type=agent --field-selector spec.nodeName=${node}`,
    };
  });
}

function isKubelet({ metadata, status }: Pod): boolean {
  return metadata.labels?.["type"] === "agent" && condition(status, "Ready")?.status === "True";
}

function startOf({ status }: Pod): unknown {
  return status?.containerStatuses?.[0]?.state?.running?.startedAt;
}
