import type { Host } from "../../cluster/client.ts";
import { paths } from "../../cluster/paths.ts";
import { objectQuotaName, tenantNames } from "../../components/plan/names.ts";
import { handedOutOf } from "../kubeconfig/record.ts";
import { volumeStatuses } from "../status/backups.ts";
import { Problems } from "../status/report.ts";

/** What only the cluster knows of a tenant. Times are RFC 3339 in UTC. */
export interface LiveFacts {
  readonly at: string;
  /** What is used of each quota, as Kubernetes quantities by the quota's name of the resource. */
  readonly used: Readonly<Record<string, string>>;
  /** The tenant's volumes as the tenant knows them, and when each was last backed up; null for never. */
  readonly volumes: readonly { readonly claim: string; readonly lastBackupAt: string | null }[];
  /** When the kubeconfig ends that was handed out last; null where none was, or its end is not known. */
  readonly kubeconfigEndsAt: string | null;
}

/** Asks the host cluster about a tenant. */
export async function liveFacts(host: Host, tenant: string, now: Date): Promise<LiveFacts> {
  const { namespace, podQuota } = tenantNames(tenant);
  const [quotas, claims, volumes, found] = await Promise.all([
    host.list(paths.quotas.in(namespace)),
    host.list(paths.claims.in(namespace)),
    host.list(paths.volumes.all),
    host.get(paths.namespaces.named(namespace)),
  ]);
  // The third quota is on what K3k itself needs.
  const used = (name: string): Readonly<Record<string, string>> =>
    quotas.find(({ metadata }) => metadata.name === name)?.status?.used ?? {};
  return {
    at: now.toISOString(),
    used: { ...used(objectQuotaName), ...used(podQuota) },
    volumes: volumeStatuses({ claims, volumes }, [tenant], now, new Problems())
      .filter((volume) => volume.tenant === tenant)
      .map(({ claim, name, lastBackupAt }) => ({ claim: claim ?? name, lastBackupAt })),
    kubeconfigEndsAt: handedOutOf(found)?.endsAt ?? null,
  };
}
