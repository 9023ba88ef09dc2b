import { Cron } from "croner";
import { tierNames } from "../components/plan/storage.ts";
import type { Table } from "./table.ts";

const minutesPerHour = 60;
const minutesPerDay = 24 * minutesPerHour;
const minutesPerWeek = 7 * minutesPerDay;
const millisecondsPerMinute = 60_000;

/** A Sunday at midnight, UTC. Schedules repeat every week, so any week will do. */
const sunday = new Date("2026-01-04T00:00:00Z");

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * When a schedule (cron, in UTC) runs, as words for people and as the time between two runs. Throws a RangeError for
 * one that does not run evenly: every hour or every few hours, every day, or every week.
 */
export function rhythm(cron: string): { readonly words: string; readonly milliseconds: number } {
  const { runs, interval } = weekOf(cron);
  return { words: words(runs, interval), milliseconds: interval * millisecondsPerMinute };
}

/** Hours from one run of a schedule to the next. As `rhythm`. */
export function intervalHours(cron: string): number {
  return weekOf(cron).interval / minutesPerHour;
}

/** Minutes after a Sunday's midnight in UTC at which a schedule runs in a week, and minutes between two runs. */
interface Week {
  readonly runs: readonly number[];
  readonly interval: number;
}

/** A cache: a preview asks for the same few schedules many times. */
const known = new Map<string, Week>();

function weekOf(cron: string): Week {
  const week = known.get(cron) ?? readWeek(cron);
  known.set(cron, week);
  return week;
}

function readWeek(cron: string): Week {
  if (!/^\S+ \S+ \* \* \S+$/.test(cron)) {
    throw new RangeError(`not a schedule of one week: ${cron}`);
  }
  let job: Cron;
  try {
    job = new Cron(cron, { timezone: "UTC", mode: "5-part" });
  } catch (error) {
    throw new RangeError(`not a schedule: ${cron}`, { cause: error });
  }
  const runs: number[] = [];
  let run = job.nextRun(new Date(sunday.getTime() - 1000));
  // One more than an hourly schedule has is enough to see that it runs too often.
  while (run !== null && runs.length <= minutesPerWeek / minutesPerHour) {
    const minute = (run.getTime() - sunday.getTime()) / millisecondsPerMinute;
    if (minute >= minutesPerWeek) {
      break;
    }
    runs.push(minute);
    run = job.nextRun(run);
  }
  const [interval = NaN, ...others] = new Set(
    runs.map((minute, index) => (runs[index + 1] ?? (runs[0] ?? 0) + minutesPerWeek) - minute),
  );
  const isEven = others.length === 0 && interval % minutesPerHour === 0;
  const isKnown = interval === minutesPerWeek || (interval <= minutesPerDay && minutesPerDay % interval === 0);
  if (!isEven || !isKnown) {
    throw new RangeError(`not a schedule that runs evenly: ${cron}`);
  }
  return { runs, interval };
}

function words(runs: readonly number[], interval: number): string {
  const [first = 0] = runs;
  if (interval === minutesPerHour) {
    return "every hour";
  }
  if (interval < minutesPerDay) {
    return `every ${interval / minutesPerHour} hours (${timesOf(runs)} UTC)`;
  }
  return `every ${interval === minutesPerDay ? "day" : dayOf(first)} at ${timesOf([first])} UTC`;
}

/** The same in another time zone, short enough for a column of a table. */
function localWords(runs: readonly number[], interval: number, offset: number): string {
  const local = runs.map((run) => (run + offset + minutesPerWeek) % minutesPerWeek);
  if (interval === minutesPerHour) {
    return `every hour, at :${timesOf(local).slice(3, 5)}`;
  }
  const day = interval === minutesPerWeek ? `${dayOf(local[0] ?? 0)} ` : "";
  return `${day}${timesOf(local)}`;
}

/** Times of the day, each once, for example `00:15, 06:15`. */
function timesOf(minutes: readonly number[]): string {
  const times = minutes.map((minute) =>
    [Math.floor((minute % minutesPerDay) / minutesPerHour), minute % minutesPerHour]
      .map((part) => String(part).padStart(2, "0"))
      .join(":"),
  );
  return [...new Set(times)].sort().join(", ");
}

function dayOf(minute: number): string {
  return weekdays[Math.floor(minute / minutesPerDay)] ?? "";
}

export interface ShownSchedule {
  readonly name: string;
  readonly task: string;
  /** In UTC. */
  readonly cron: string;
  readonly groups: readonly string[];
  /** 0 where nothing is kept. */
  readonly retain: number;
  /** False for one that should be in the cluster and is not; that it is, is not said. */
  readonly present?: boolean;
}

export function machineZone(): string {
  return new Intl.DateTimeFormat("en").resolvedOptions().timeZone;
}

/**
 * Schedules as Longhorn runs them, in UTC, and as the operator's clock shows them. Where the clocks are changed within
 * a year, the same run is at two times, and both are shown.
 */
export function scheduleTable(schedules: readonly ShownSchedule[], zone: string, from: Date): Table {
  const offsets = offsetsInYear(zone, from);
  return {
    title: `Schedules: Longhorn runs them in UTC; times are those of ${zone}`,
    rows: [
      ["schedule", "cron in UTC", ...offsets.map(offsetName), "volumes in", "kept"],
      ...schedules.map(({ name, cron, groups, retain, present }) => [
        name,
        ...(present === false
          ? ["MISSING", ...offsets.map(() => "-")]
          : [cron, ...offsets.map((offset) => localTimes(cron, offset))]),
        volumesIn(groups),
        retain === 0 ? "-" : String(retain),
      ]),
    ],
  };
}

/** Groups of volumes; `all` stands for those of every tier and of none. */
function volumesIn(groups: readonly string[]): string {
  const every: readonly string[] = ["default", ...tierNames];
  const isAll = every.every((group) => groups.includes(group));
  const named = isAll ? ["all", ...groups.filter((group) => !every.includes(group))] : groups;
  return named.join(", ") || "-";
}

/** Times of a schedule; `-` for one that somebody made by hand and that does not run evenly. */
function localTimes(cron: string, offset: number): string {
  try {
    const { runs, interval } = weekOf(cron);
    return localWords(runs, interval, offset);
  } catch (error) {
    if (error instanceof RangeError) {
      return "-";
    }
    throw error;
  }
}

/** Every offset from UTC that a zone has within a year, in minutes, in the order of the year. */
function offsetsInYear(zone: string, from: Date): number[] {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  const days = Array.from(
    { length: 366 },
    (_, day) => new Date(from.getTime() + day * 24 * 60 * millisecondsPerMinute),
  );
  return [...new Set(days.map((day) => offsetAt(format, day)))];
}

function offsetAt(format: Intl.DateTimeFormat, day: Date): number {
  const name = format.formatToParts(day).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign = "", hours = "0", minutes = "0"] = /^GMT(?:([+-])(\d+):(\d+))?/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * minutesPerHour + Number(minutes));
}

function offsetName(offset: number): string {
  const [hours, minutes] = [Math.floor(Math.abs(offset) / minutesPerHour), Math.abs(offset) % minutesPerHour];
  const sign = offset < 0 ? "-" : "+";
  return offset === 0 ? "UTC" : `UTC${sign}${hours}${minutes === 0 ? "" : `:${String(minutes).padStart(2, "0")}`}`;
}
