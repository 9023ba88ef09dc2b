import { tenantNames } from "../../components/plan/names.ts";
import { hasEnded, type Pod } from "../../cluster/pods.ts";
import { look, type Standing, type StandingTenant } from "../../cluster/live-state.ts";
import type { WritableHost } from "../../cluster/client.ts";
import { longhornPath, volumesOfTenant, type Volume } from "../../cluster/longhorn.ts";

/** One of the two clusters of a move, as it stands. */
export interface Party {
  /** The stack's name. */
  readonly stack: string;
  readonly host: WritableHost;
  readonly standing: Standing;
  /** Undefined where the tenant has no namespace there. */
  readonly tenant: StandingTenant | undefined;
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

interface ScheduledPod extends Pod {
  readonly spec?: Pod["spec"] & { readonly nodeName?: string };
}

interface Cluster {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly phase?: string };
}

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

/** Looks at one cluster. Only reads. */
export async function partyOf(stack: string, host: WritableHost, tenant: string): Promise<Party> {
  const { namespace, tokenSecret, cluster } = tenantNames(tenant);
  const [standing, known, pods, secret, clusters] = await Promise.all([
    look(host),
    host.list<Volume>(`${longhornPath}/volumes`),
    host.list<ScheduledPod>(`/api/v1/namespaces/${namespace}/pods`),
    host.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${tokenSecret}`),
    host.list<Cluster>(`/apis/k3k.io/v1beta1/namespaces/${namespace}/clusters`),
  ]);
  return {
    stack,
    host,
    standing,
    tenant: standing.tenants.find(({ name }) => name === tenant),
    volumes: volumesOfTenant(known, tenant),
    known,
    guestPhase: clusters.find(({ metadata }) => metadata.name === cluster)?.status?.phase,
    writers: pods.filter(mayWrite).map(({ metadata }) => metadata.name),
    token: secret?.data?.["token"],
  };
}

/** Whether a pod is on a node, with a claim, and not at its end. One that is being deleted writes until it is gone. */
function mayWrite(pod: ScheduledPod): boolean {
  return (
    (pod.spec?.nodeName ?? "") !== "" &&
    !hasEnded(pod) &&
    (pod.spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)
  );
}
