import { deletionPermission } from "../components/plan/deletion-permission.ts";
import { utcDay } from "../components/plan/utc-day.ts";
import { type Api, ApiError } from "./api.ts";

/**
 * Deletes an object that the API server guards against deletion (`plan/admission/deletions.ts`), if it is there: writes
 * today's permission on it first. Whoever calls this has made sure that nothing is lost.
 *
 * @param uid Only the very object that has it, never another of the same name.
 */
export async function deleteGuarded(host: Pick<Api, "delete" | "merge">, path: string, uid?: string): Promise<void> {
  try {
    await host.merge(path, { metadata: { uid, annotations: deletionPermission(utcDay(new Date())) } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return;
    }
    throw error;
  }
  await host.delete(path, uid);
}
