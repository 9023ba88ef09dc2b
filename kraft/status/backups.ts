import { defaultTarget, groupLabel, isOfDrill, isStandby } from "../../cluster/longhorn.ts";
import { condition, type Metadata } from "../../cluster/objects.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { lateAfterIntervals, scheduleOf, schedules } from "../../components/plan/storage.ts";
import { rhythm } from "../../infra/schedule.ts";
import { distance, duration, timestamp } from "../cli/moment.ts";
import {
  critical,
  type Observed,
  type Problems,
  type ScheduleStatus,
  sentence,
  sortedBy,
  type Status,
  subjects,
  type VolumeStatus,
} from "./report.ts";

/** Where backups go. */
export function targetStatus({ backupTargets }: Observed, problems: Problems): Status["backups"]["target"] {
  const target = backupTargets.find(({ metadata }) => metadata.name === defaultTarget);
  if (target === undefined) {
    problems.add("backup target", critical("Longhorn has none: nothing leaves the house"));
    return null;
  }
  const url = target.spec?.backupTargetURL ?? "";
  const available = target.status?.available === true;
  const unavailable = condition(target.status, "Unavailable");
  const why = unavailable?.status === "True" ? unavailable.message : undefined;
  problems.add("backup target", critical(!available && sentence(`${url || "without a URL"} is not available`, why)));
  return { url, available, lastSyncedAt: target.status?.lastSyncedAt ?? null };
}

/** Longhorn's schedules: Kraft's, and others that the cluster has. */
export function scheduleStatuses({ recurringJobs }: Observed, problems: Problems): ScheduleStatus[] {
  const present = recurringJobs.map(({ metadata: { name }, spec = {} }) => {
    const { task = "", cron = "", groups, retain = 0 } = spec;
    return { name, present: true, task, cron, groups: [...(groups ?? [])].sort(), retain };
  });
  const missing = schedules
    .filter(({ name }) => !present.some((job) => job.name === name))
    .map(({ name, task, cron, groups, retain }) => ({ name, present: false, task, cron, groups, retain }));
  for (const { name } of sortedBy(missing, (schedule) => schedule.name)) {
    problems.add(`schedule ${name}`, "is not in the cluster: run pulumi up");
  }
  return sortedBy([...present, ...missing], ({ name }) => name);
}

/** Every volume but those of drills, by tenant and claim. */
export function volumeStatuses(
  observed: Pick<Observed, "claims" | "volumes">,
  tenants: readonly string[],
  now: Date,
  problems: Problems,
): VolumeStatus[] {
  const named = observed.volumes
    .filter((volume) => !isOfDrill(volume))
    .map((volume) => {
      const { namespace, pvcName } = volume.status?.kubernetesStatus ?? {};
      const tenant = tenants.find((name) => tenantNames(name).namespace === namespace) ?? null;
      return { volume, namespace, tenant, claim: claimName(observed, tenant, namespace, pvcName) };
    });
  const sorted = sortedBy(
    named,
    ({ tenant, claim, volume }) => `${tenant ?? "~"} ${claim ?? "~"} ${volume.metadata.name}`,
  );
  return sorted.map(({ volume, namespace, tenant, claim }) => {
    const { metadata, spec, status } = volume;
    const robustness = status?.robustness ?? "unknown";
    const lastBackup = timestamp(status?.lastBackupAt);
    const standby = isStandby(volume);
    const interval = standby ? undefined : backupIntervalMs(metadata);
    problems.add(
      subjects.volume({ name: metadata.name, tenant, namespace: namespace ?? null, claim }),
      critical(robustness === "faulted" && "FAULTED: no copy of it is usable"),
      robustness === "degraded" && "degraded: a copy is missing",
      // A copy that follows another stack's backups has none of its own: they are made where the tenant still is.
      critical(
        interval === undefined
          ? !standby && "no schedule makes backups of it"
          : overdueText(lastBackup, timestamp(metadata.creationTimestamp), interval, now),
      ),
    );
    return {
      name: metadata.name,
      tenant,
      namespace: namespace ?? null,
      claim,
      bytes: spec?.size === undefined ? null : Number(spec.size),
      state: status?.state ?? "unknown",
      robustness,
      standby,
      lastBackupAt: lastBackup?.toISOString() ?? null,
      backupEveryHours: interval === undefined ? null : interval / 3_600_000,
    };
  });
}

/** That a volume's last backup is too old; undefined where it is not. */
function overdueText(last: Date | undefined, created: Date | undefined, interval: number, now: Date) {
  const since = last ?? created;
  const age = since === undefined ? 0 : now.getTime() - since.getTime();
  if (age <= interval * lateAfterIntervals) {
    return undefined;
  }
  return last === undefined
    ? `never backed up, and is ${duration(age)} old`
    : `last backup ${distance(last, now)}, due every ${duration(interval)}`;
}

/** K3k gives a tenant's claims long names on the host; the tenant's own names are in their annotations. */
function claimName(
  { claims }: Pick<Observed, "claims">,
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
  const { "k3k.io/name": original, "k3k.io/namespace": within = "" } = claim?.metadata.annotations ?? {};
  return original === undefined ? `${namespace}/${name}` : `${within}/${original}`;
}

/** Milliseconds between two backups of a volume, by the groups of schedules that Longhorn notes as its labels. */
function backupIntervalMs({ labels = {} }: Metadata): number | undefined {
  const prefix = groupLabel("");
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
