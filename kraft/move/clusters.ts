import type { WritableHost } from "../../cluster/client.ts";
import { type LiveTenant, readLiveState } from "../../cluster/live-state.ts";
import { boundVolumes } from "../../cluster/longhorn.ts";
import { hasEnded, type Pod, type Volume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";

/** One of the two clusters of a move, as it is now. */
export interface MoveCluster {
  readonly stack: string;
  readonly host: WritableHost;
  /** Undefined where the tenant has no namespace there. */
  readonly tenant: LiveTenant | undefined;
  /** Volumes that claims of the tenant are bound to. */
  readonly volumes: readonly Volume[];
  /** All volumes, of every tenant. */
  readonly allVolumes: readonly Volume[];
  /** What K3k says of the guest: `Ready` where it runs; undefined where there is none, or nothing was said yet. */
  readonly guestPhase: string | undefined;
  /** Pods that may write to the tenant's volumes. */
  readonly writers: readonly string[];
  /** The guest's K3s token, as the cluster keeps it; undefined where there is none. */
  readonly token: string | undefined;
}

/** A tenant, the cluster that they leave, and the one that they come to. */
export interface Move {
  readonly tenant: string;
  readonly source: MoveCluster;
  readonly target: MoveCluster;
}

/** Reads one of the clusters. Changes nothing. */
export async function readMoveCluster(stack: string, host: WritableHost, tenant: string): Promise<MoveCluster> {
  const { namespace, tokenSecret, cluster } = tenantNames(tenant);
  const [live, allVolumes, pods, secret, guest] = await Promise.all([
    readLiveState(host),
    host.list(paths.volumes.all),
    host.list(paths.pods.in(namespace)),
    host.get(paths.secrets.named(namespace, tokenSecret)),
    host.get(paths.clusters.named(namespace, cluster)),
  ]);
  return {
    stack,
    host,
    tenant: live.tenants.find(({ name }) => name === tenant),
    volumes: boundVolumes(allVolumes, tenant),
    allVolumes,
    guestPhase: guest?.status?.phase,
    writers: pods.filter(mayWrite).map(({ metadata }) => metadata.name),
    token: secret?.data?.["token"],
  };
}

/** Whether a pod is on a node, with a claim, and has not ended. One that is being deleted writes until it is gone. */
function mayWrite(pod: Pod): boolean {
  return (
    (pod.spec?.nodeName ?? "") !== "" &&
    !hasEnded(pod) &&
    (pod.spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)
  );
}
