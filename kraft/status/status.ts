import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { metallbNamespace } from "../../components/plan/metallb-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { scheduleOf, schedules } from "../../components/plan/storage.ts";
import type { Tenant } from "../../infra/model.ts";
import type { Problem } from "../../infra/problem.ts";
import { rhythm } from "../../infra/schedule.ts";
import type { Stack } from "../../stacks/index.ts";
import { isOfDrill } from "../longhorn.ts";
import { distance, duration, moment, timestamp } from "../moment.ts";
import { compare, condition, sentence, sorted, type Found, type Remark } from "./found.ts";
import type { CertificateObject, Metadata, NodeObject, Observed, VolumeObject } from "./objects.ts";
import { tenantsFound } from "./tenants.ts";

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
  readonly problems: readonly Remark[];
  /** What the operator should know and is no fault, for example a tenant who is still to come. */
  readonly notes: readonly Remark[];
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
  /** As the stack file has it; null for one who does not stand there. */
  readonly state: Tenant["state"] | null;
  /** The stack that the tenant is on the way here from; null for one who is not. */
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
  /** The entrypoint's own address, for which MetalLB runs; undefined where there is none. */
  readonly entry: string | undefined;
  readonly context: string;
  readonly uid: string;
  /** What the next `pulumi up` would do to the versions that run, and must not. */
  readonly versions: readonly Problem[];
}

/** What is the matter with a cluster, from what it told about itself. */
export function judge(observed: Observed, expected: Expected, now: Date): Status {
  const tenants = tenantsFound(observed, expected, now);
  const names = tenants.map(({ part }) => part.name);
  const nodes = nodesFound(observed, expected.stack);
  const platform = platformFound(observed, expected);
  const target = targetFound(observed);
  const jobs = schedulesFound(observed);
  const volumes = volumesFound(observed, names, now);
  const certificates = certificatesFound(observed, now);
  const problems = [
    ...problemsOf(nodes),
    ...platform.problems,
    ...problemsOf(tenants),
    ...target.problems,
    ...problemsOf(jobs),
    ...problemsOf(volumes),
    ...issuerProblems(observed),
    ...problemsOf(certificates),
    ...expected.versions.map(({ key, found, fix }) => ({ subject: key, message: `${found}: ${fix}` })),
  ];
  return {
    stack: expected.stack.name,
    cluster: { context: expected.context, uid: expected.uid },
    at: now.toISOString(),
    ok: problems.length === 0,
    nodes: partsOf(nodes),
    platform: platform.part,
    tenants: partsOf(tenants),
    backups: { target: target.part, schedules: partsOf(jobs), volumes: partsOf(volumes) },
    certificates: partsOf(certificates),
    problems,
    notes: tenants.flatMap(({ notes }) => notes),
  };
}

function nodesFound({ nodes }: Observed, stack: Stack): Found<NodeStatus>[] {
  const missing = stack.nodes
    .filter(({ name }) => !nodes.some(({ metadata }) => metadata.name === name))
    .map(({ name }) => ({
      part: { name, present: false, ready: false, schedulable: false, version: null },
      problems: [{ subject: `node ${name}`, message: `is of stack ${stack.name}, but not in the cluster` }],
    }));
  return sorted([...nodes.map(nodeFound), ...missing]);
}

/** Conditions of a node that say nothing good when they are true. */
const pressures = ["DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure"];

function nodeFound({ metadata, spec, status }: NodeObject): Found<NodeStatus> {
  const subject = `node ${metadata.name}`;
  const ready = condition(status?.conditions, "Ready");
  const problems = (status?.conditions ?? [])
    .filter(({ type, status: value }) => pressures.includes(type) && value === "True")
    .map(({ type, message }) => ({ subject, message: sentence(type, message) }));
  const isReady = ready?.status === "True";
  return {
    part: {
      name: metadata.name,
      present: true,
      ready: isReady,
      schedulable: spec?.unschedulable !== true,
      version: status?.nodeInfo?.kubeletVersion ?? null,
    },
    problems: isReady ? problems : [{ subject, message: sentence("is not ready", ready?.message) }, ...problems],
  };
}

function platformFound({ deployments, daemonSets }: Observed, { entry }: Expected): Found<WorkloadStatus[]> {
  const workloads: WorkloadStatus[] = [
    ...deployments.map(({ metadata, spec, status }) => ({
      ...placed(metadata),
      kind: "Deployment" as const,
      ready: status?.readyReplicas ?? 0,
      wanted: spec?.replicas ?? 1,
    })),
    ...daemonSets.map(({ metadata, status }) => ({
      ...placed(metadata),
      kind: "DaemonSet" as const,
      ready: status?.numberReady ?? 0,
      wanted: status?.desiredNumberScheduled ?? 0,
    })),
  ];
  const namespaces = [...Object.values(platformNamespaces), ...(entry === undefined ? [] : [metallbNamespace])].sort();
  const own = workloads
    .filter(({ namespace }) => namespaces.some((name) => name === namespace))
    .sort((a, b) => compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
  const empty = namespaces
    .filter((name) => !own.some(({ namespace }) => namespace === name))
    .map((name) => ({ subject: `namespace ${name}`, message: "has no Deployment and no DaemonSet: nothing runs" }));
  const unready = own
    .filter(({ kind, ready, wanted }) => ready < wanted || (kind === "DaemonSet" && wanted === 0))
    .map(({ namespace, kind, name, ready, wanted }) => ({
      subject: `${kind} ${namespace}/${name}`,
      message: wanted === 0 ? "fits no node" : `${ready} of ${wanted} ready`,
    }));
  return { part: own, problems: [...empty, ...unready] };
}

function targetFound({ backupTargets }: Observed): Found<Status["backups"]["target"]> {
  const target = backupTargets.find(({ metadata }) => metadata.name === "default");
  if (target === undefined) {
    return {
      part: null,
      problems: [{ subject: "backup target", message: "Longhorn has none: nothing leaves the house" }],
    };
  }
  const url = target.spec?.backupTargetURL ?? "";
  const available = target.status?.available === true;
  const why = target.status?.conditions?.find(
    ({ type, status }) => type === "Unavailable" && status === "True",
  )?.message;
  return {
    part: { url, available, lastSyncedAt: target.status?.lastSyncedAt ?? null },
    problems: available
      ? []
      : [{ subject: "backup target", message: sentence(`${url || "without a URL"} is not available`, why) }],
  };
}

function schedulesFound({ recurringJobs }: Observed): Found<ScheduleStatus>[] {
  const missing: Found<ScheduleStatus>[] = schedules
    .filter(({ name }) => !recurringJobs.some(({ metadata }) => metadata.name === name))
    .map(({ name, task, cron, groups, retain }) => ({
      part: { name, present: false, task, cron, groups, retain },
      problems: [{ subject: `schedule ${name}`, message: "is not in the cluster: run pulumi up" }],
    }));
  const present: Found<ScheduleStatus>[] = recurringJobs.map(({ metadata, spec }) => ({
    part: {
      name: metadata.name,
      present: true,
      task: spec?.task ?? "",
      cron: spec?.cron ?? "",
      groups: [...(spec?.groups ?? [])].sort(),
      retain: spec?.retain ?? 0,
    },
    problems: [],
  }));
  return sorted([...present, ...missing]);
}

/** How much later than its schedule a backup may be, as a share of the time between two. */
const patience = 0.5;

function volumesFound(observed: Observed, tenants: readonly string[], now: Date): Found<VolumeStatus>[] {
  return observed.volumes
    .filter((volume) => !isOfDrill(volume))
    .map((volume) => volumeFound(volume, observed, tenants, now))
    .sort((a, b) =>
      compare(
        `${a.part.tenant ?? "~"} ${a.part.claim ?? "~"} ${a.part.name}`,
        `${b.part.tenant ?? "~"} ${b.part.claim ?? "~"} ${b.part.name}`,
      ),
    );
}

function volumeFound(
  volume: VolumeObject,
  observed: Observed,
  tenants: readonly string[],
  now: Date,
): Found<VolumeStatus> {
  const { metadata, spec, status } = volume;
  const { namespace, pvcName } = status?.kubernetesStatus ?? {};
  const tenant = tenants.find((name) => tenantNames(name).namespace === namespace) ?? null;
  const claim = claimName(observed, tenant, namespace, pvcName);
  const lastBackup = timestamp(status?.lastBackupAt);
  const standby = spec?.Standby === true;
  const interval = standby ? undefined : backupInterval(metadata);
  const subject = claim === null ? `volume ${metadata.name}` : `volume ${claim} of ${tenant ?? namespace ?? "nobody"}`;
  const robustness = status?.robustness ?? "unknown";
  const problems: { subject: string; message: string }[] = [];
  if (robustness === "faulted" || robustness === "degraded") {
    const message = { faulted: "FAULTED: no copy of it is usable", degraded: "degraded: a copy is missing" }[
      robustness
    ];
    problems.push({ subject, message });
  }
  const since = lastBackup ?? timestamp(metadata.creationTimestamp);
  if (interval === undefined) {
    // Of a copy no backups are made: what it follows is backed up where the tenant still is.
    problems.push(...(standby ? [] : [{ subject, message: "no schedule makes backups of it" }]));
  } else if (since !== undefined && now.getTime() - since.getTime() > interval * (1 + patience)) {
    const message =
      lastBackup === undefined
        ? `never backed up, and is ${duration(now.getTime() - since.getTime())} old`
        : `last backup ${distance(lastBackup, now)}, due every ${duration(interval)}`;
    problems.push({ subject, message });
  }
  return {
    part: {
      name: metadata.name,
      tenant,
      claim,
      bytes: spec?.size === undefined ? null : Number(spec.size),
      state: status?.state ?? "unknown",
      robustness,
      standby,
      lastBackupAt: lastBackup?.toISOString() ?? null,
      backupEveryHours: interval === undefined ? null : interval / 3_600_000,
    },
    problems,
  };
}

/** K3k gives a tenant's claims long names on the host; what the tenant called them stands beside. */
function claimName(
  { claims }: Observed,
  tenant: string | null,
  namespace: string | undefined,
  name: string | undefined,
): string | null {
  if (namespace === undefined || name === undefined || name === "") {
    return null;
  }
  if (tenant !== null && name === tenantNames(tenant).datastoreClaim) {
    return "datastore";
  }
  const claim = claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  const original = claim?.metadata.annotations?.["k3k.io/name"];
  return original === undefined
    ? `${namespace}/${name}`
    : `${claim?.metadata.annotations?.["k3k.io/namespace"] ?? ""}/${original}`;
}

/** Milliseconds between two backups of a volume, by the groups of schedules that Longhorn notes as its labels. */
function backupInterval({ labels = {} }: Metadata): number | undefined {
  const prefix = "recurring-job-group.longhorn.io/";
  const groups = Object.keys(labels)
    .filter((label) => label.startsWith(prefix) && labels[label] === "enabled")
    .map((label) => label.slice(prefix.length));
  // Longhorn gives a volume without any group or job to this one.
  const intervals = (groups.length === 0 ? ["default"] : groups)
    .map((group) => scheduleOf(group, "backup"))
    .filter((schedule) => schedule !== undefined)
    .map(({ cron }) => rhythm(cron).milliseconds);
  return intervals.length === 0 ? undefined : Math.min(...intervals);
}

function issuerProblems({ issuers }: Observed): Status["problems"] {
  const subject = `issuer ${issuerName}`;
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  if (issuer === undefined) {
    return [{ subject, message: "is not in the cluster: run pulumi up" }];
  }
  const ready = condition(issuer.status?.conditions, "Ready");
  return ready?.status === "True" ? [] : [{ subject, message: sentence("is not ready", ready?.message) }];
}

/** Milliseconds after its due time that a renewal may take. */
const renewalPatience = 24 * 3_600_000;

function certificatesFound({ certificates }: Observed, now: Date): Found<CertificateStatus>[] {
  return certificates
    .map((certificate) => certificateFound(certificate, now))
    .sort((a, b) => compare(`${a.part.namespace}/${a.part.name}`, `${b.part.namespace}/${b.part.name}`));
}

function certificateFound({ metadata, spec, status }: CertificateObject, now: Date): Found<CertificateStatus> {
  const { namespace, name } = placed(metadata);
  const ready = condition(status?.conditions, "Ready");
  const notAfter = timestamp(status?.notAfter);
  const renewal = timestamp(status?.renewalTime);
  const subject = `certificate ${namespace}/${name}`;
  const problem = (message: string): Status["problems"] => [{ subject, message }];
  const problems =
    notAfter !== undefined && notAfter < now
      ? problem(`EXPIRED ${distance(notAfter, now)}`)
      : ready?.status !== "True"
        ? problem(sentence("is not ready", ready?.message))
        : renewal !== undefined && now.getTime() - renewal.getTime() > renewalPatience
          ? problem(`should have been renewed on ${moment(renewal)}`)
          : [];
  return {
    part: {
      namespace,
      name,
      hosts: spec?.dnsNames ?? [],
      ready: ready?.status === "True",
      notAfter: notAfter?.toISOString() ?? null,
    },
    problems,
  };
}

function placed({ name, namespace = "" }: Metadata): { readonly namespace: string; readonly name: string } {
  return { namespace, name };
}

function partsOf<Part>(found: readonly Found<Part>[]): Part[] {
  return found.map(({ part }) => part);
}

function problemsOf(found: readonly Found<unknown>[]): Status["problems"] {
  return found.flatMap(({ problems }) => problems);
}
