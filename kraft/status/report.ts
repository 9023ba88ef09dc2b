import { labelled, paths } from "../../cluster/paths.ts";
import type { Problem } from "../../errors/problem.ts";
import type { Tenant } from "../../infra/model.ts";
import type { Stack } from "../../stacks/index.ts";
import type { Listed } from "../cli/host.ts";
import type { Remark } from "../cli/output.ts";

/**
 * What `kraft status --json` prints. Fields are added, never renamed or taken away. Times are RFC 3339 in UTC; null is
 * what is not known or has not happened.
 */
export interface Status {
  readonly stack: string;
  /** The context and the UID of the cluster that was asked. */
  readonly cluster: { readonly context: string; readonly uid: string };
  readonly at: string;
  /** Whether `problems` is empty. */
  readonly ok: boolean;
  readonly nodes: readonly NodeStatus[];
  readonly platform: readonly WorkloadStatus[];
  readonly tenants: readonly TenantStatus[];
  readonly backups: {
    readonly target: { readonly url: string; readonly available: boolean; readonly lastSyncedAt: string | null } | null;
    readonly schedules: readonly ScheduleStatus[];
    readonly volumes: readonly VolumeStatus[];
  };
  readonly certificates: readonly CertificateStatus[];
  /** Everything that is wrong, in the order of the parts above. */
  readonly problems: readonly StatusProblem[];
  /** What the operator should know and is no fault, for example a tenant who is still to come. */
  readonly notes: readonly Remark[];
}

/** Something that is wrong. `critical` cannot wait until tomorrow, `warning` can: as for alerts. */
export interface StatusProblem extends Remark {
  readonly severity: "critical" | "warning";
}

/** One node: of the stack, or found in the cluster. */
export interface NodeStatus {
  readonly name: string;
  readonly present: boolean;
  readonly ready: boolean;
  /** Whether new pods may be put on it. */
  readonly schedulable: boolean;
  /** Version of the kubelet. */
  readonly version: string | null;
}

/** One Deployment or DaemonSet of the platform. */
export interface WorkloadStatus {
  readonly namespace: string;
  readonly kind: "DaemonSet" | "Deployment";
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
}

/** What is used of a quota, both as Kubernetes quantities. */
export interface Use {
  readonly used: string;
  readonly hard: string;
}

/** One tenant: of the stack file, or found in the cluster. */
export interface TenantStatus {
  readonly name: string;
  readonly declared: boolean;
  /** As the stack file has it; null for one who is not in it. */
  readonly state: Tenant["state"] | null;
  /** The stack that the tenant is moving here from; null for one who is not moving. */
  readonly awaitedFrom: string | null;
  /** Where the tenant moved to from here, and when; null for one who did not. */
  readonly movedTo: { readonly stack: string; readonly at: string } | null;
  /** Phase of the guest's Cluster; null where there is no Cluster or K3k has not seen it yet. */
  readonly phase: string | null;
  readonly quota: {
    readonly cpu: Use | null;
    readonly memory: Use | null;
    /** With the volume under the guest's own datastore. */
    readonly storage: Use | null;
    readonly pods: Use | null;
  };
  /** When its backups were last restored and read to the end, by `kraft drill`. */
  readonly lastProvenRestorableAt: string | null;
  /** When the kubeconfig ends that Kraft last handed out. */
  readonly kubeconfigEndsAt: string | null;
}

/** One of Longhorn's RecurringJobs: of Kraft, or found in the cluster. */
export interface ScheduleStatus {
  readonly name: string;
  readonly present: boolean;
  readonly task: string;
  readonly cron: string;
  readonly groups: readonly string[];
  readonly retain: number;
}

/** One of Longhorn's volumes. */
export interface VolumeStatus {
  readonly name: string;
  /** Null for a volume that is no tenant's. */
  readonly tenant: string | null;
  /** The namespace of its claim on the host. */
  readonly namespace: string | null;
  /** The claim as the tenant knows it: `namespace/name`; `datastore` is the guest's own. */
  readonly claim: string | null;
  readonly bytes: number | null;
  readonly state: string;
  readonly robustness: string;
  /** Whether it is a copy that follows the backups of another stack, until the tenant has come. */
  readonly standby: boolean;
  readonly lastBackupAt: string | null;
  /** Hours after which a further backup is due; null where no schedule makes any. */
  readonly backupEveryHours: number | null;
}

/** One of cert-manager's Certificates. */
export interface CertificateStatus {
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly ready: boolean;
  readonly notAfter: string | null;
}

/** What the stack file says of a tenant. */
export type DeclaredTenant = Pick<Tenant, "name" | "state" | "from">;

/** What the stack says should be there. */
export interface Expected {
  readonly stack: Stack;
  readonly tenants: readonly DeclaredTenant[];
  /** Longhorn's volumes that nobody is to miss. */
  readonly leaveOut: readonly string[];
  /** The entrypoint's own address, for which MetalLB runs; undefined where there is none. */
  readonly entry: string | undefined;
  readonly context: string;
  readonly uid: string;
  /** What the next `pulumi up` would do to the versions that run, and must not. */
  readonly versions: readonly Problem[];
}

/** Every collection that the status is made of. */
export const observedCollections = {
  nodes: paths.nodes.all,
  namespaces: paths.namespaces.all,
  deployments: paths.deployments.all,
  daemonSets: paths.daemonSets.all,
  clusters: paths.clusters.all,
  /** CoreDNS of the guests, under the label that K3s gives it. */
  nameServers: labelled(paths.pods.all, "k8s-app=kube-dns"),
  quotas: paths.quotas.all,
  recurringJobs: paths.recurringJobs.all,
  backupTargets: paths.backupTargets.all,
  volumes: paths.volumes.all,
  claims: paths.claims.all,
  persistentVolumes: paths.persistentVolumes.all,
  certificates: paths.certificates.all,
  issuers: paths.issuers.all,
  orders: paths.orders.all,
  challenges: paths.challenges.all,
  ingresses: paths.ingresses.all,
};

/** Everything that the status is made of, as the cluster told it. */
export type Observed = Listed<typeof observedCollections>;

/** What the subject of a problem is called, by what has it. */
export const subjects = {
  node: (name: string): string => `node ${name}`,
  tenant: (name: string): string => `tenant ${name}`,
  volume: ({
    name,
    tenant,
    namespace,
    claim,
  }: Pick<VolumeStatus, "name" | "tenant" | "namespace" | "claim">): string =>
    claim === null ? `volume ${name}` : `volume ${claim} of ${tenant ?? namespace ?? "nobody"}`,
  certificate: ({ namespace, name }: Pick<CertificateStatus, "namespace" | "name">): string =>
    `certificate ${namespace}/${name}`,
} as const;

/** What is found of one subject: a text is a warning, and what does not apply is false or undefined. */
export type Finding = string | { readonly critical: string } | false | undefined;

/** A finding that cannot wait until tomorrow, if it applies. */
export function critical(message: string | false | undefined): Finding {
  return message === undefined || message === false ? message : { critical: message };
}

/** What is wrong with a cluster, collected in the order in which it is found. */
export class Problems {
  readonly list: StatusProblem[] = [];

  /** Adds what there is to say of one subject: the findings that do apply. */
  add(subject: string, ...findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding !== undefined && finding !== false) {
        this.list.push(
          typeof finding === "string"
            ? { subject, message: finding, severity: "warning" }
            : { subject, message: finding.critical, severity: "critical" },
        );
      }
    }
  }
}

/** What is the matter, with the reason where one was given. */
export function sentence(text: string, why: string | undefined): string {
  return why === undefined || why === "" ? text : `${text}: ${why}`;
}

/** By a key, in the order of its characters, whatever the language of the machine. */
export function sortedBy<Entry>(entries: readonly Entry[], key: (entry: Entry) => string): Entry[] {
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
