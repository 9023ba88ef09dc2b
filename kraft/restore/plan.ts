import { type GuestName, guestName, tenantNames } from "../../components/plan/names.ts";
import { byteQuantity, datastoreStorage, mebibytes, objectQuota, tenantAllowance } from "../../components/plan/size.ts";
import {
  classLimits,
  defaultStorageClass,
  lateAfterIntervals,
  scheduleOf,
  tiers,
} from "../../components/plan/storage.ts";
import type { Catalogue, CatalogueMessage, CatalogueVolume } from "../../infra/catalogue/catalogue.ts";
import { restoreRate } from "../../infra/checks/backup-window.ts";
import { inRestoreOrder } from "../../infra/checks/recovery.ts";
import type { Line, Tenant } from "../../infra/model.ts";
import { intervalHours } from "../../infra/schedule.ts";
import { moment } from "../cli/moment.ts";
import type { Remark } from "../cli/output.ts";

/** What a restore depends on, besides the backups. */
export interface RestoreInputs {
  readonly tenants: readonly Pick<Tenant, "from" | "name" | "quota" | "size" | "state" | "tier">[];
  /** Volumes that are not to be restored. */
  readonly leaveOut: readonly string[];
  /** Undefined where the stack file does not describe it. */
  readonly line: Pick<Line, "downlinkMbps"> | undefined;
  /** Only this tenant; undefined for all. */
  readonly tenant?: string;
  /** Whether the tenant's datastore is in the cluster already, and need not be in the backups. */
  readonly hasDatastore?: boolean;
}

/** One volume that comes back. */
export interface PlannedVolume extends CatalogueVolume {
  readonly tenant: string;
  /** What the guest calls the claim; null for its own datastore, and where it cannot be told from the name. */
  readonly guest: GuestName | null;
  readonly isDatastore: boolean;
  /** Whether it is a raw device; undefined where only its backup is known, which does not say. */
  readonly isBlock?: boolean;
  /** What the restore downloads, or an upper bound where the blocks were not read. */
  readonly downloadBytes: number;
}

/** What comes back of one tenant. */
export interface PlannedTenant {
  readonly name: string;
  readonly namespace: string;
  /** In the order of their restore. */
  readonly volumes: readonly PlannedVolume[];
  readonly downloadBytes: number;
  /** RFC 3339; null where nothing comes back. */
  readonly newestBackup: string | null;
  readonly oldestBackup: string | null;
  /** Hours on this line, alone; null where it is not described. */
  readonly hours: number | null;
}

/** A volume that stays in the bucket, and why. */
export interface VolumeLeftInBucket {
  readonly volume: string;
  readonly namespace: string | null;
  readonly claim: string | null;
  readonly reason: string;
}

export interface RestorePlan {
  readonly target: string;
  readonly tenants: readonly PlannedTenant[];
  /** All volumes of all tenants, in the order of their restore. */
  readonly order: readonly PlannedVolume[];
  readonly downloadBytes: number;
  readonly hours: number | null;
  readonly left: readonly VolumeLeftInBucket[];
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** Tenants whose volumes do not fit what the stack file promises them; nothing of theirs is restored. */
  readonly refused: readonly string[];
}

/** States in which a tenant's volumes are in the cluster. */
const withVolumes: ReadonlySet<Tenant["state"]> = new Set(["active", "suspended"]);

/**
 * What comes back in which order, what stays, and what is wrong. The datastores of all guests come first, since no guest
 * can start without its own; then the tenants of the best tier.
 */
export function restorePlan(catalogue: Catalogue, inputs: RestoreInputs): RestorePlan {
  const { line, tenant: only } = inputs;
  const leaveOut = new Set(inputs.leaveOut);
  const tenantOf = new Map(inputs.tenants.map((tenant) => [tenantNames(tenant.name).namespace, tenant]));
  const isWanted = (namespace: string): boolean => only === undefined || namespace === tenantNames(only).namespace;
  const remarks = (messages: readonly CatalogueMessage[]): Remark[] =>
    messages
      .filter(({ namespace }) => namespace === null || isWanted(namespace))
      .map(({ volume, namespace, claim, message }) => ({
        subject: claim === null ? volume : `${volume} (${namespace ?? ""}/${claim})`,
        message,
      }));

  const order: PlannedVolume[] = [];
  const left: VolumeLeftInBucket[] = catalogue.unattached.map(({ message, ...volume }) => ({
    ...volume,
    reason: message,
  }));
  const problems: Remark[] = [];
  for (const volume of catalogue.volumes) {
    const { volume: name, namespace, claim } = volume;
    const tenant = tenantOf.get(namespace);
    const leave = (reason: string, problem?: string): void => {
      left.push({ volume: name, namespace, claim, reason });
      problems.push(...(problem === undefined ? [] : [{ subject: name, message: problem }]));
    };
    const reason = unrestorable(volume);
    if (leaveOut.has(name)) {
      leave("kraft:leaveOut names it");
    } else if (!isWanted(namespace)) {
      continue;
    } else if (tenant === undefined) {
      leave(
        `the stack file has no tenant with the namespace ${namespace}`,
        `is claim ${claim} of namespace ${namespace}, which no tenant in the stack file has: add the tenant, or add the volume to kraft:leaveOut`,
      );
    } else if (!withVolumes.has(tenant.state)) {
      leave(`tenant ${tenant.name} is ${tenant.state}`);
    } else if (reason !== undefined) {
      leave(reason, reason);
    } else {
      order.push(plannedVolume(volume, tenant.name));
    }
  }
  order.sort(restoreOrder(inputs.tenants));
  problems.push(...remarks(catalogue.damaged.filter(({ volume }) => !leaveOut.has(volume))));
  const warnings = [...remarks(catalogue.notes), ...unknownLeaveOuts(catalogue, inputs.leaveOut)];

  const tenants: PlannedTenant[] = [];
  const refused: string[] = [];
  for (const declared of inputs.tenants) {
    const { name } = declared;
    const { namespace, datastoreClaim } = tenantNames(name);
    if (!withVolumes.has(declared.state) || !isWanted(namespace)) {
      continue;
    }
    const volumes = order.filter(({ tenant }) => tenant === name);
    const subject = `tenant ${name}`;
    tenants.push(plannedTenant(name, volumes, line));
    warnings.push(...farApart(volumes).map((message) => ({ subject, message })));
    const excess = quotaExcess(volumes, declared);
    if (excess !== undefined) {
      refused.push(name);
      problems.push({ subject, message: excess });
    }
    if (inputs.hasDatastore === true) {
      continue;
    }
    if (volumes.length === 0) {
      warnings.push({ subject, message: "has nothing in the backups: its guest starts empty" });
    } else if (!volumes.some(({ isDatastore }) => isDatastore)) {
      problems.push({
        subject,
        message: `the backups have no ${datastoreClaim}, the guest's own datastore: the guest would start empty and know none of its volumes`,
      });
    }
  }
  const downloadBytes = sum(order);
  const hours = hoursOf(downloadBytes, line);
  return { target: catalogue.target, tenants, order, downloadBytes, hours, left, problems, warnings, refused };
}

function plannedVolume(volume: CatalogueVolume, tenant: string): PlannedVolume {
  return {
    ...volume,
    tenant,
    guest: guestName(tenantNames(tenant).cluster, volume.claim) ?? null,
    isDatastore: volume.claim === tenantNames(tenant).datastoreClaim,
    downloadBytes: volume.backup.downloadBytes ?? volume.backup.bytes,
  };
}

/**
 * Datastores first, then tenant by tenant in the order of the preview's table (`infra/checks/recovery.ts`), each tenant's
 * small volumes before its large ones; the name only makes the order the same every time.
 */
function restoreOrder(tenants: RestoreInputs["tenants"]): (a: PlannedVolume, b: PlannedVolume) => number {
  const rank = new Map(inRestoreOrder(tenants).map(({ name }, index) => [name, index]));
  return (a, b) =>
    Number(b.isDatastore) - Number(a.isDatastore) ||
    (rank.get(a.tenant) ?? 0) - (rank.get(b.tenant) ?? 0) ||
    a.downloadBytes - b.downloadBytes ||
    (a.volume < b.volume ? -1 : a.volume > b.volume ? 1 : 0);
}

function plannedTenant(name: string, volumes: readonly PlannedVolume[], line: RestoreInputs["line"]): PlannedTenant {
  const dates = volumes.map(({ backup }) => backup.created).sort();
  const downloadBytes = sum(volumes);
  return {
    name,
    namespace: tenantNames(name).namespace,
    volumes,
    downloadBytes,
    newestBackup: dates.at(-1) ?? null,
    oldestBackup: dates[0] ?? null,
    hours: hoursOf(downloadBytes, line),
  };
}

function hoursOf(bytes: number, line: RestoreInputs["line"]): number | null {
  return line === undefined ? null : bytes / restoreRate(line) / 3600;
}

function sum(volumes: readonly PlannedVolume[]): number {
  return volumes.reduce((total, { downloadBytes }) => total + downloadBytes, 0);
}

/** Why Kraft cannot bring a volume back by itself; undefined where it can. */
function unrestorable({ storageClass, encrypted, dataEngine }: CatalogueVolume): string | undefined {
  const classes = tiers.map((tier) => tier.storageClass);
  if (!classes.includes(storageClass)) {
    return `its storage class ${JSON.stringify(storageClass)} is none of Kraft's: ${classes.join(", ")}; restore it by hand, or add it to kraft:leaveOut`;
  }
  if (encrypted) {
    return "it is encrypted, and Kraft has no key of it; restore it by hand, or add it to kraft:leaveOut";
  }
  return dataEngine === "v1"
    ? undefined
    : `it is of the data engine ${dataEngine}, and Kraft runs v1 alone; restore it by hand, or add it to kraft:leaveOut`;
}

/** A volume that is left out and does not exist is a typing error: another was meant. */
function unknownLeaveOuts(catalogue: Catalogue, leaveOut: readonly string[]): Remark[] {
  const messages: readonly CatalogueMessage[] = [...catalogue.damaged, ...catalogue.unattached, ...catalogue.notes];
  const known = new Set([...catalogue.volumes, ...messages].map(({ volume }) => volume));
  return leaveOut
    .filter((volume) => !known.has(volume))
    .map((volume) => ({ subject: volume, message: "kraft:leaveOut names it, and the backups have no such volume" }));
}

/** Backups of one tenant that are of very different times, each compared with its own schedule. */
function farApart(volumes: readonly PlannedVolume[]): string[] {
  const newest = Math.max(...volumes.map(({ backup }) => Date.parse(backup.created)));
  return volumes.flatMap(({ volume, claim, guest, isDatastore, storageClass, backup }) => {
    const created = new Date(backup.created);
    if (newest - created.getTime() <= lateAfterIntervals * hoursBetweenBackups(storageClass) * 3_600_000) {
      return [];
    }
    const what = isDatastore ? "its guest's own datastore" : `claim ${guest?.name ?? claim}`;
    return [
      `the backups are of different times: ${what} (${volume}) of ${moment(created)}, the newest of ${moment(new Date(newest))}`,
    ];
  });
}

function hoursBetweenBackups(storageClass: string): number {
  const of = (name: string) => tiers.find((tier) => tier.storageClass === name)?.group ?? "standard";
  const cron = scheduleOf(of(storageClass), "backup")?.cron ?? scheduleOf(of(defaultStorageClass), "backup")?.cron;
  return intervalHours(cron ?? "");
}

/** Kubernetes would refuse the claims, after hours of download. */
function quotaExcess(
  volumes: readonly PlannedVolume[],
  { size, quota, tier }: Pick<Tenant, "quota" | "size" | "tier">,
): string | undefined {
  const { hard } = objectQuota(tenantAllowance(size, quota), classLimits(tier, datastoreStorage));
  const excess = (some: readonly PlannedVolume[], most: string | undefined): string | undefined => {
    const needed = some.reduce((total, { sizeBytes }) => total + Math.ceil(sizeBytes / 1024 ** 2), 0);
    const allowed = most === undefined ? Infinity : most === "0" ? 0 : mebibytes(most);
    return needed > allowed ? `are ${byteQuantity(needed)}, and its quota allows ${most ?? ""}` : undefined;
  };
  const all = excess(volumes, hard["requests.storage"]);
  if (all !== undefined) {
    return `its volumes ${all}: raise quota.storage, or leave volumes out with kraft:leaveOut`;
  }
  for (const { storageClass } of tiers) {
    const own = volumes.filter((volume) => volume.storageClass === storageClass);
    const found = excess(own, hard[`${storageClass}.storageclass.storage.k8s.io/requests.storage`]);
    if (found !== undefined) {
      return `its volumes of ${storageClass} ${found}: give the tenant a better tier, or leave volumes out with kraft:leaveOut`;
    }
  }
  const claims = Number(hard["persistentvolumeclaims"]);
  return volumes.length > claims
    ? `it has ${volumes.length} volumes, and its quota allows ${claims}: leave some out with kraft:leaveOut`
    : undefined;
}
