import { scheduleOf, tenantClasses, type TierName, tierNames, tiers } from "../../components/plan/storage.ts";
import { listIf, type Problem } from "../../errors/problem.ts";
import type { Line, Tenant } from "../model.ts";
import { intervalHours } from "../schedule.ts";
import type { Table } from "../table.ts";
import {
  type BackupLoad,
  backupRate,
  gigabytes,
  hoursText,
  rateOf,
  restoreRate,
  speed,
  uploads,
} from "./backup-window.ts";
import { bytesPerMebibyte, secondsPerHour, type Share, shares, total, volumeBytes } from "./figures.ts";

const hoursPerDay = 24;

/**
 * Hours of a rebuild without the tenants' data: `pulumi up` in phase restore and again in phase run, on nodes that run
 * already. An assumption; hardware, its operating system and manual work are not counted.
 */
export const platformHours = 0.5;

/** A tenant's recovery point and recovery time objectives. */
export interface Recovery {
  readonly tenant: string;
  readonly tier: TierName;
  /** Hours between two snapshots, which stay in the house: the most that a mistake can lose. */
  readonly snapshotHours: number;
  /** Hours between two backups. */
  readonly backupHours: number;
  /** Hours until a backup is uploaded while other schedules use the line too; undefined without a line. */
  readonly uploadHours: number | undefined;
  /** Hours to restore this tenant alone. */
  readonly aloneHours: number | undefined;
  /** Hours until this tenant is back when all tenants are restored in order. */
  readonly houseHours: number | undefined;
}

/**
 * Tenants in the order of a full restore: by tier, the most critical first, then by name. All datastores come before.
 */
export function inRestoreOrder<Some extends Pick<Tenant, "name" | "tier">>(tenants: readonly Some[]): Some[] {
  return [...tenants].sort(
    (a, b) => tierNames.indexOf(b.tier) - tierNames.indexOf(a.tier) || (a.name < b.name ? -1 : 1),
  );
}

/** The tenants with volumes in the cluster, which archived and purged ones have not. */
function sharesOf(load: BackupLoad): Share[] {
  const tenants = load.tenants.filter(({ state }) => state === "active" || state === "suspended");
  return shares(inRestoreOrder(tenants), load.stack.nodes.length);
}

/**
 * Recovery objectives of every tenant, in the order of a restore. All volumes count as full and of the tenant's tier.
 */
export function recoveries(load: BackupLoad): Recovery[] {
  const { line } = load;
  const each = sharesOf(load);
  const hours = (bytes: number): number | undefined => line && bytes / restoreRate(line) / secondsPerHour;
  // All datastores come first.
  let loaded = total(each, ({ overhead }) => overhead.storageMebibytes) * bytesPerMebibyte;
  return each.map((share) => {
    const { tier, name } = share.tenant;
    loaded += share.allowance.storageMebibytes * bytesPerMebibyte;
    const house = hours(loaded);
    return {
      tenant: name,
      tier,
      snapshotHours: intervalOf(tier, "snapshot"),
      backupHours: intervalOf(tier, "backup"),
      uploadHours: line && uploadHours(tier, each, load, line),
      aloneHours: hours(volumeBytes(share)),
      houseHours: house === undefined ? undefined : platformHours + house,
    };
  });
}

function intervalOf(tier: TierName, task: "backup" | "snapshot"): number {
  return intervalHours(scheduleOf(tier, task)?.cron ?? "");
}

/** Size of one run of a tier's backups: what changed since the last one, at most everything. */
function changedBytes(tier: TierName, each: readonly Share[], dailyChange: number): number {
  const storageClass = tiers.find(({ group }) => group === tier)?.storageClass;
  const mebibytes = total(
    each,
    ({ tenant, allowance, overhead }) =>
      (tenant.tier === tier ? allowance.storageMebibytes : 0) +
      (tenantClasses(tenant.tier).datastore === storageClass ? overhead.storageMebibytes : 0),
  );
  return mebibytes * bytesPerMebibyte * Math.min(1, (dailyChange * intervalOf(tier, "backup")) / hoursPerDay);
}

/**
 * Hours until the last volume of a tier's backups is uploaded, in the worst case: the other tiers' schedules run as well
 * and share the line evenly, so that each delays this one by no more than its own length. Volumes of one schedule are
 * uploaded one after the other, so that it is never faster than its round trips.
 */
function uploadHours(tier: TierName, each: readonly Share[], load: BackupLoad, line: Line): number {
  const own = changedBytes(tier, each, load.dailyChange);
  const others = tierNames.filter((other) => other !== tier);
  const delay = total(others, (other) => {
    const runs = Math.ceil(intervalOf(tier, "backup") / intervalOf(other, "backup"));
    return Math.min(own, runs * changedBytes(other, each, load.dailyChange));
  });
  const { bytesPerSecond: ofLine } = backupRate(line, Infinity, 1);
  return Math.max(own / rateOf(load, line).bytesPerSecond, (own + delay) / ofLine) / secondsPerHour;
}

/** One row per tenant, in the order of a full restore. */
export function recoveryTables(load: BackupLoad): Table[] {
  const all = recoveries(load);
  const hours = (value: number | undefined): string => (value === undefined ? "-" : hoursText(value));
  return listIf(all.length > 0, {
    title: "What is lost at most, and how long until it is back once nodes run: tenants in the order of a restore",
    rows: [
      ["tenant", "tier", "lost by a slip", "lost with the house", "back alone", "back with all"],
      ...all.map(({ tenant, tier, snapshotHours, backupHours, uploadHours: upload, aloneHours, houseHours }) => [
        tenant,
        tier,
        hoursText(snapshotHours),
        `${hoursText(backupHours)} and ${upload === undefined ? "the upload" : hoursText(upload)}`,
        hours(aloneHours),
        hours(houseHours),
      ]),
    ],
  });
}

/** The fix that costs nothing but the frequency of backups. */
const lower: Readonly<Record<TierName, string>> = { critical: "tier: standard, ", standard: "tier: bulk, ", bulk: "" };

/** Tiers whose upload takes longer than their interval: more than two intervals could be lost with the house. */
export function recoveryProblems(load: BackupLoad): Problem[] {
  const { line } = load;
  if (line === undefined) {
    return [];
  }
  const each = sharesOf(load);
  // A day's change that takes more than a day to upload is reported once, for the line, and not for every tenant too.
  const fitsDay = (uploads(load, line).at(-1)?.nightlyHours ?? 0) <= hoursPerDay;
  return recoveries(load)
    .filter(
      ({ backupHours, uploadHours: upload = 0 }) => upload > backupHours && (fitsDay || backupHours < hoursPerDay),
    )
    .map(({ tenant, tier, backupHours, uploadHours: upload = 0 }) => ({
      key: `kraft:tenants.${tenant}.tier`,
      found:
        `${tier}: ${gigabytes(changedBytes(tier, each, load.dailyChange))} of this tier changed in ${hoursText(backupHours)}, ` +
        `which take ${hoursText(upload)} at ${speed(rateOf(load, line))}, while the other tiers' backups run`,
      allowed: `at most ${hoursText(backupHours)}: otherwise a backup is not out when the next one is due`,
      fix: `${lower[tier]}a smaller quota.storage, a larger kraft:line.backupShare, or a smaller kraft:line.dailyChange if less is written`,
    }));
}
