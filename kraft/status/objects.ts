import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { Host } from "../../cluster/client.ts";

/** Metadata of an object of Kubernetes, as far as the status looks at it. */
export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A condition in an object's status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** A node of the host cluster. */
export interface NodeObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly nodeInfo?: { readonly kubeletVersion?: string };
    readonly conditions?: readonly Condition[];
  };
}

/** A Deployment. */
export interface DeploymentObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

/** A DaemonSet. */
export interface DaemonSetObject {
  readonly metadata: Metadata;
  readonly status?: { readonly desiredNumberScheduled?: number; readonly numberReady?: number };
}

/** K3k's Cluster: a guest. */
export interface ClusterObject {
  readonly metadata: Metadata;
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

/** A ResourceQuota. */
export interface QuotaObject {
  readonly metadata: Metadata;
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/** Longhorn's RecurringJob. */
export interface RecurringJobObject {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly task?: string;
    readonly cron?: string;
    readonly groups?: readonly string[] | null;
    readonly retain?: number;
  };
}

/** Longhorn's BackupTarget. */
export interface BackupTargetObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly backupTargetURL?: string };
  readonly status?: {
    readonly available?: boolean;
    readonly lastSyncedAt?: string | null;
    readonly conditions?: readonly Condition[] | null;
  };
}

/** Longhorn's Volume. */
export interface VolumeObject {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly size?: string;
    /** Whether it follows the backups of another volume and cannot be used. With this capital (longhorn-manager 1.12). */
    readonly Standby?: boolean;
  };
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly lastBackupAt?: string;
    readonly kubernetesStatus?: { readonly namespace?: string; readonly pvcName?: string; readonly pvStatus?: string };
  };
}

/** A namespace. */
export interface NamespaceObject {
  readonly metadata: Metadata;
}

/** A claim on a volume. */
export interface ClaimObject {
  readonly metadata: Metadata;
}

/** cert-manager's Certificate. */
export interface CertificateObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly dnsNames?: readonly string[] };
  readonly status?: {
    readonly notAfter?: string;
    readonly renewalTime?: string;
    readonly conditions?: readonly Condition[];
  };
}

/** cert-manager's ClusterIssuer. */
export interface IssuerObject {
  readonly metadata: Metadata;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Everything that the status is made of, as the cluster told it. */
export interface Observed {
  readonly nodes: readonly NodeObject[];
  readonly namespaces: readonly NamespaceObject[];
  readonly deployments: readonly DeploymentObject[];
  readonly daemonSets: readonly DaemonSetObject[];
  readonly clusters: readonly ClusterObject[];
  readonly quotas: readonly QuotaObject[];
  readonly recurringJobs: readonly RecurringJobObject[];
  readonly backupTargets: readonly BackupTargetObject[];
  readonly volumes: readonly VolumeObject[];
  readonly claims: readonly ClaimObject[];
  readonly certificates: readonly CertificateObject[];
  readonly issuers: readonly IssuerObject[];
}

/** Reads it all at once. A kind that the cluster does not have yet has no objects. */
export async function observe(host: Host): Promise<Observed> {
  const longhorn = `/apis/longhorn.io/v1beta2/namespaces/${platformNamespaces.longhorn}`;
  const paths = {
    nodes: "/api/v1/nodes",
    namespaces: "/api/v1/namespaces",
    deployments: "/apis/apps/v1/deployments",
    daemonSets: "/apis/apps/v1/daemonsets",
    clusters: "/apis/k3k.io/v1beta1/clusters",
    quotas: "/api/v1/resourcequotas",
    recurringJobs: `${longhorn}/recurringjobs`,
    backupTargets: `${longhorn}/backuptargets`,
    volumes: `${longhorn}/volumes`,
    claims: "/api/v1/persistentvolumeclaims",
    certificates: "/apis/cert-manager.io/v1/certificates",
    issuers: "/apis/cert-manager.io/v1/clusterissuers",
  } as const satisfies Record<keyof Observed, string>;
  const lists = await Promise.all(
    Object.entries(paths).map(async ([name, path]) => [name, await host.list<unknown>(path)] as const),
  );
  return Object.fromEntries(lists) as unknown as Observed;
}
