import type { Warning } from "../../errors/problem.ts";
import type { Table } from "../table.ts";

/** How many days ahead a date is warned of: time for a bill or a form. */
export const warnDays = 30;

/** The one name whose date is in the past: the day on which the recovery kit was last checked. */
export const recoveryKit = "recoveryKit";

/** Days after which a recovery kit is too old to be trusted: a quarter. */
export const recoveryKitDays = 90;

const millisecondsPerDay = 86_400_000;

/**
 * Whole days from today to a day; negative once it is past. Both count in UTC, so that a time of day changes nothing.
 */
export function daysUntil(date: string, today: Date): number {
  const start = Date.parse(`${today.toISOString().slice(0, 10)}T00:00:00Z`);
  return Math.round((Date.parse(`${date}T00:00:00Z`) - start) / millisecondsPerDay);
}

/** @param expiry Days by name, each as `2027-01-31`. */
export function expiryWarnings(expiry: Readonly<Record<string, string>>, today: Date): Warning[] {
  return sorted(expiry).flatMap(([name, date]) => {
    const message = name === recoveryKit ? kitMessage(date, today) : dateMessage(date, today);
    return message === undefined ? [] : [{ key: `kraft:expiry.${name}`, message }];
  });
}

/** The warning about the day on which something expires; undefined while there is time. */
export function dateMessage(date: string, today: Date): string | undefined {
  const days = daysUntil(date, today);
  if (days < 0) {
    return `EXPIRED ${count(-days)} ago, on ${date}: renew it now, and write the new date`;
  }
  if (days <= warnDays) {
    return `expires ${days === 0 ? "TODAY" : `in ${count(days)}`}, on ${date}`;
  }
  return undefined;
}

function kitMessage(date: string, today: Date): string | undefined {
  const age = -daysUntil(date, today);
  if (age < 0) {
    return `${date} is in the future: write the day on which you last checked the recovery kit`;
  }
  return age > recoveryKitDays
    ? `last checked ${count(age)} ago, on ${date}: check it, and write today's date`
    : undefined;
}

export function expiryTables(expiry: Readonly<Record<string, string>>, today: Date): Table[] {
  const rows = sorted(expiry).map(([name, date]) => {
    const days = daysUntil(date, today);
    return [name, date, days < 0 ? `${count(-days)} ago` : days === 0 ? "today" : `in ${count(days)}`];
  });
  return rows.length === 0 ? [] : [{ title: "Dates", rows: [["name", "date", ""], ...rows] }];
}

function sorted(expiry: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(expiry).sort(([a], [b]) => (a < b ? -1 : 1));
}

function count(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}
