import { tenantNames } from "../../components/plan/names.ts";
import { readLiveState, type LiveState, type LiveTenant } from "../../cluster/live-state.ts";
import type { WritableHost } from "../../cluster/client.ts";
import { boundVolumes } from "../../cluster/longhorn.ts";
import type { Pod, Volume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { hasEnded } from "../../cluster/pods.ts";

/** One of the two clusters of a move, as it stands. */
export interface Party {
  /** The stack's name. */
  readonly stack: string;
  readonly host: WritableHost;
  readonly live: LiveState;
  /** Undefined where the tenant has no namespace there. */
  readonly tenant: LiveTenant | undefined;
  /** Volumes that claims of the tenant are bound to. */
  readonly volumes: readonly Volume[];
  /** All volumes, whoever's. */
  readonly known: readonly Volume[];
  /** What K3k says of the guest: `Ready` where it runs; undefined where there is none, or nothing was said yet. */
  readonly guestPhase: string | undefined;
  /** Pods that may write to the tenant's volumes. */
  readonly writers: readonly string[];
  /** The guest's K3s token, as the cluster keeps it; undefined where there is none. */
  readonly token: string | undefined;
}

/** The cluster that a tenant leaves, and the one that they come to. */
export interface Parties {
  readonly tenant: string;
  readonly source: Party;
  readonly target: Party;
}

/** Looks at one cluster. Only reads. */
export async function partyOf(stack: string, host: WritableHost, tenant: string): Promise<Party> {
  const { namespace, tokenSecret, cluster } = tenantNames(tenant);
  const [live, known, pods, secret, clusters] = await Promise.all([
    readLiveState(host),
    host.list(paths.volumes.all),
    host.list(paths.pods.in(namespace)),
    host.get(paths.secrets.named(namespace, tokenSecret)),
    host.list(paths.clusters.in(namespace)),
  ]);
  return {
    stack,
    host,
    live,
    tenant: live.tenants.find(({ name }) => name === tenant),
    volumes: boundVolumes(known, tenant),
    known,
    guestPhase: clusters.find(({ metadata }) => metadata.name === cluster)?.status?.phase,
    writers: pods.filter(mayWrite).map(({ metadata }) => metadata.name),
    token: secret?.data?.["token"],
  };
}

/** Whether a pod is on a node, with a claim, and not at its end. One that is being deleted writes until it is gone. */
function mayWrite(pod: Pod): boolean {
  return (
    (pod.spec?.nodeName ?? "") !== "" &&
    !hasEnded(pod) &&
    (pod.spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)
  );
}
