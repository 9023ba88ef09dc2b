import { condition, hasEnded, type Pod } from "../../cluster/objects.ts";
import type { Finding } from "./report.ts";

/** A guest's pods as it knows them, and all that the host has in its namespace, K3k's own among them. */
export interface GuestPods {
  readonly inGuest: readonly Pod[];
  readonly onHost: readonly Pod[];
}

/** Guests that were looked into, by tenant: their pods, or why nobody could. */
export type LookedInto = ReadonlyMap<string, GuestPods | string>;

/** Milliseconds that K3k's kubelet has for a pod that is new, or after its own start. */
const patience = 60_000;

/**
 * Pods that a guest has on a node, and that the host does not have. K3k's kubelets do not notice that a pod is gone from the host
 * (rancher/k3k#454), and those of 1.1.0 delete each other's pods when they start (rancher/k3k#1021). The guest then shows them
 * as `Running` or `Pending` until the K3k kubelet of that node starts again.
 *
 * @param namespace The tenant's, on the host.
 */
export function lostPods(namespace: string, { inGuest, onHost }: GuestPods, now: Date): Finding[] {
  const isOld = (moment: unknown): boolean => now.getTime() - new Date(String(moment)).getTime() > patience;
  const known = new Set(onHost.map(({ metadata }) => nameIn(metadata.annotations ?? {})));
  const settled = new Set(
    onHost.filter((pod) => isKubelet(pod) && isOld(startOf(pod))).map(({ spec }) => spec?.nodeName),
  );
  const lost = inGuest.filter(
    (pod) =>
      settled.has(pod.spec?.nodeName) &&
      !hasEnded(pod) &&
      isOld(pod.metadata.creationTimestamp) &&
      !known.has(`${pod.metadata.namespace ?? ""}/${pod.metadata.name}`),
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

/** Namespace and name that a pod of the host has in its guest, as K3k notes them. */
function nameIn(annotations: Readonly<Record<string, string>>): string {
  return `${annotations["k3k.io/namespace"] ?? ""}/${annotations["k3k.io/name"] ?? ""}`;
}

function isKubelet({ metadata, status }: Pod): boolean {
  return metadata.labels?.["type"] === "agent" && condition(status, "Ready")?.status === "True";
}

function startOf({ status }: Pod): unknown {
  return status?.containerStatuses?.[0]?.state?.running?.startedAt;
}
