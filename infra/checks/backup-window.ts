import { longhornFigures } from "../../components/plan/longhorn-values.ts";
import { scheduleOf, schedules } from "../../components/plan/storage.ts";
import { listIf, type Problem, type Warning } from "../../errors/problem.ts";
import type { Line, Model } from "../model.ts";
import type { Table } from "../table.ts";
import { rounded, secondsPerHour, shares, total, volumeBytes } from "./figures.ts";

export type BackupLoad = Pick<Model, "stack" | "tenants" | "line" | "dailyChange">;

/**
 * Bytes that one backup worker sends to Wasabi per round trip: over HTTP/2 the server opens a window of 64 KiB for the
 * body of a PUT (longhorn/longhorn#14005; no setting of Longhorn's changes it).
 */
const bytesPerRoundTrip = 64 * 1024;

/** Share of the line that a restore gets; nothing else uses it. The rest is TLS and what the line does not sustain. */
const restoreEfficiency = 0.75;

/** The longest that a tenant may go without a first backup. */
const firstBackupDays = 30;

/** Speed of backups, and what limits it. */
export interface Rate {
  readonly bytesPerSecond: number;
  readonly bound: "the line" | "round trips";
}

/**
 * How fast backups are uploaded: the share of the uplink, or what the workers of all volumes that are backed up at once
 * manage in their round trips, whichever is less.
 */
export function backupRate(line: Line, workers: number, volumes: number): Rate {
  const ofLine = (line.uplinkMbps * 1e6 * line.backupShare) / 8;
  const ofRoundTrips = (workers * volumes * bytesPerRoundTrip) / (line.roundTripMs / 1000);
  return ofLine <= ofRoundTrips
    ? { bytesPerSecond: ofLine, bound: "the line" }
    : { bytesPerSecond: ofRoundTrips, bound: "round trips" };
}

/** Hours after midnight, in UTC, at which a daily schedule starts. */
function startHour(name: string): number {
  const [minute = "", hour = ""] = (schedules.find((schedule) => schedule.name === name)?.cron ?? "").split(" ");
  return Number(hour) + Number(minute) / 60;
}

/** Hours of a night: from the start of the daily backup to that of the system backup, when the house wakes up. */
export const nightHours = startHour("system-backup-daily") - startHour("backup-daily");

/**
 * Size and duration of each tenant's backups, and at last of all together: Longhorn backs up one volume at a time.
 * Allowances count as full, and nothing compresses.
 */
export function uploads(load: BackupLoad, line: Line) {
  const { bytesPerSecond } = rateOf(load, line);
  const each = shares(load.tenants, load.stack.nodes.length).map((share) => ({
    name: share.tenant.name,
    bytes: volumeBytes(share),
  }));
  return [...each, { name: "all", bytes: total(each, ({ bytes }) => bytes) }].map(({ name, bytes }) => ({
    name,
    bytes,
    changedBytes: bytes * load.dailyChange,
    firstDays: bytes / bytesPerSecond / secondsPerHour / 24,
    nightlyHours: (bytes * load.dailyChange) / bytesPerSecond / secondsPerHour,
    restoreHours: bytes / restoreRate(line) / secondsPerHour,
  }));
}

/** How fast the backups of one schedule are uploaded, one volume after the other. */
export function rateOf(load: Pick<BackupLoad, "stack">, line: Line): Rate {
  const { backupWorkers } = longhornFigures(load.stack.nodes.length, load.stack.storage.dedicatedDisk);
  return backupRate(line, backupWorkers, scheduleOf("standard", "backup")?.concurrency ?? 1);
}

/** Bytes a second of a restore; nothing else uses the line. */
export function restoreRate(line: Pick<Line, "downlinkMbps">): number {
  return (line.downlinkMbps * 1e6 * restoreEfficiency) / 8;
}

/** How long backups and a restore take, where the line is known. */
export function backupTables(load: BackupLoad): Table[] {
  const { line } = load;
  if (line === undefined) {
    return [];
  }
  return [
    {
      title:
        `Backups at ${speed(rateOf(load, line))}, with ` +
        `${rounded(load.dailyChange * 100)} % of the volumes changed in a day`,
      rows: [
        ["", "volumes", "first backup", "a night", "upload", "restore"],
        ...uploads(load, line).map(({ name, bytes, changedBytes, firstDays, nightlyHours, restoreHours }) => [
          name,
          gigabytes(bytes),
          hoursText(firstDays * 24),
          gigabytes(changedBytes),
          hoursText(nightlyHours),
          hoursText(restoreHours),
        ]),
      ],
    },
  ];
}

/** Backups that never catch up. */
export function backupProblems(load: BackupLoad): Problem[] {
  const { line } = load;
  const all = line && uploads(load, line).at(-1);
  if (line === undefined || all === undefined) {
    return [];
  }
  const rate = rateOf(load, line);
  const faster =
    rate.bound === "the line" ? "a larger kraft:line.backupShare" : "a region of Wasabi with shorter round trips";
  const fix = `smaller quota.storage, fewer tenants, or ${faster}`;
  return [
    ...listIf(all.firstDays > firstBackupDays, {
      key: "kraft:line",
      found: `a first backup of ${rounded(all.firstDays)} days: ${gigabytes(all.bytes)} at ${speed(rate)}`,
      allowed: `at most ${firstBackupDays} days`,
      fix,
    }),
    ...listIf(all.nightlyHours > 24, {
      key: "kraft:line.dailyChange",
      found: `${gigabytes(all.changedBytes)} changed in a day, which take ${rounded(all.nightlyHours)} hours at ${speed(rate)}`,
      allowed: "at most 24 hours: otherwise backups fall behind for ever",
      fix: `${fix}, or a smaller kraft:line.dailyChange if less is written`,
    }),
  ];
}

/** Backups that are not finished in the morning. */
export function backupWarnings(load: BackupLoad): Warning[] {
  const { changedBytes = 0, nightlyHours = 0 } = (load.line && uploads(load, load.line).at(-1)) ?? {};
  return listIf(nightlyHours > nightHours && nightlyHours <= 24, {
    key: "backups",
    message:
      `a night's change of ${gigabytes(changedBytes)} takes ${hoursText(nightlyHours)} to upload, and ` +
      `the night has ${hoursText(nightHours)}: backups run into the day`,
  });
}

/** For example `25 Mbit/s, bound by the line`. */
export function speed({ bytesPerSecond, bound }: Rate): string {
  return `${rounded((bytesPerSecond * 8) / 1e6, 2)} Mbit/s, bound by ${bound}`;
}

export function gigabytes(bytes: number): string {
  return `${rounded(bytes / 1e9)} GB`;
}

/** A number of hours in minutes, hours or days. */
export function hoursText(hours: number): string {
  if (hours > 0 && hours < 1) {
    return `${Math.max(1, Math.round(hours * 60))} min`;
  }
  return hours < 48 ? `${rounded(hours)} h` : `${rounded(hours / 24)} days`;
}
