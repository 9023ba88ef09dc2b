import { tenantNames } from "../../components/plan/names.ts";
import { scheduleOf, schedules } from "../../components/plan/storage.ts";
import { rhythm } from "../../infra/schedule.ts";
import { isOfDrill } from "../../cluster/longhorn.ts";
import { distance, duration, timestamp } from "../cli/moment.ts";
import { compare, sentence, sorted, type Found } from "./found.ts";
import type { Metadata, Observed, VolumeObject } from "./objects.ts";
import type { ScheduleStatus, Status, VolumeStatus } from "./report.ts";

/** Where backups go. */
export function targetFound({ backupTargets }: Observed): Found<Status["backups"]["target"]> {
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

/** Longhorn's schedules: Kraft's, and others that the cluster has. */
export function schedulesFound({ recurringJobs }: Observed): Found<ScheduleStatus>[] {
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

/** Every volume but those of drills, by tenant and claim. */
export function volumesFound(observed: Observed, tenants: readonly string[], now: Date): Found<VolumeStatus>[] {
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
