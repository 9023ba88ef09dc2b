/**
 * Annotation with which an object that holds tenants' data, or its namespace, may be deleted: today's date in UTC, as
 * `2026-11-28`. The API server refuses every other deletion, and takes the permission for two days. Kraft sets it on its
 * own paths; by hand it is the last resort.
 */
export const deletionAnnotation = "kraft.dev/deletion-permitted-on";

/** The annotation that permits a deletion on a day. */
export function deletionPermission(day: Date): Readonly<Record<string, string>> {
  return { [deletionAnnotation]: day.toISOString().slice(0, 10) };
}
