import { countingDays } from "./utc-day.ts";

/**
 * Annotation with which an object that holds tenants' data, or its namespace, may be deleted: today's date in UTC, as
 * `2026-11-28`. The API server refuses every other deletion, and accepts the permission on its date and on the day after.
 * Kraft sets it on its own paths; by hand it is the last resort.
 */
export const deletionAnnotation = "kraft.dev/deletion-permitted-on";

/** Groups whose CustomResourceDefinitions take tenants' data with them when they are deleted. */
export const dataGroups = ["k3k.io", "longhorn.io"];

/** The annotation that permits a deletion on a day and on the next; undefined without a day. */
export function deletionPermission(day: string | undefined): Readonly<Record<string, string>> | undefined {
  return day === undefined ? undefined : { [deletionAnnotation]: day };
}

/**
 * The command by which an operator permits a deletion by hand, today and tomorrow.
 *
 * @param object as kubectl takes it, for example `volumes.longhorn.io pvc-1 --namespace longhorn-system`
 */
export function permitCommand(object: string): string {
  return `kubectl annotate --overwrite ${object} ${deletionAnnotation}=$(date -u +%F)`;
}

/** Milliseconds for which a permission must still count when a run begins that deletes with it. */
const longestRun = 3_600_000;

/** Whether a run that begins now may delete with a permission: it counts on its day and on the next, to the run's end. */
export function countsForRun(day: string | undefined, now: Date): boolean {
  const end = new Date(now.getTime() + longestRun);
  return day !== undefined && [now, end].every((moment) => countingDays(moment).includes(day));
}
