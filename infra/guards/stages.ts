import { type LiveState, type LiveTenant, liveTenant } from "../../cluster/live-state.ts";
import { countsForRun } from "../../components/plan/deletion-permission.ts";
import { leavingFor, type Stage } from "../../components/plan/lifecycle.ts";
import { utcDay } from "../../components/plan/utc-day.ts";
import type { Model, Tenant } from "../model.ts";

/** A tenant as it is declared in this run. */
export interface Staged {
  readonly tenant: Tenant;
  readonly stage: Stage;
  readonly suspendedAt?: string;
  /** Day of the permission to delete what the next run deletes. */
  readonly deletionPermittedOn?: string;
}

/**
 * How every tenant is declared in this run. A tenant that leaves does so in two runs, each of which is a preview that
 * can be read: the first takes the protection away, the second what was protected. The API server lets the second delete
 * for two days; after that, the first comes again.
 */
export function stagesOf(model: Pick<Model, "tenants" | "phase">, live: LiveState, now: Date): Staged[] {
  return model.tenants.flatMap((tenant) => {
    const found = liveTenant(live, tenant.name);
    const stage = stageOf(tenant, found, model.phase, now);
    if (stage === undefined) {
      return [];
    }
    const since = stage === "suspended" ? now.toISOString() : undefined;
    const suspendedAt = stage === "suspended" || stage === "closing" ? (found?.suspendedAt ?? since) : undefined;
    const deletionPermittedOn = leavingFor(stage) === undefined ? undefined : utcDay(now);
    return [{ tenant, stage, suspendedAt, deletionPermittedOn }];
  });
}

/** Whether a tenant moves here from another stack, and the data has not arrived. */
export function awaitsData(
  { from }: Pick<Tenant, "from">,
  found: Pick<LiveTenant, "guest" | "arrivedFrom"> | undefined,
): boolean {
  return from !== undefined && found?.guest !== true && found?.arrivedFrom !== from;
}

/** @returns undefined where nothing of the tenant is declared */
function stageOf(tenant: Tenant, found: LiveTenant | undefined, phase: Model["phase"], now: Date): Stage | undefined {
  const { state } = tenant;
  const unlocked = found?.leaving === state && countsForRun(found.deletionPermittedOn, now);
  const guest = found?.guest ?? false;
  if (phase === "restore") {
    return state === "purged" && found === undefined ? undefined : "prepared";
  }
  switch (state) {
    case "active":
      // A guest without its data would make a datastore of its own, under the name of the one that is still to come.
      return awaitsData(tenant, found) ? "prepared" : "guest";
    case "suspended":
      // No guest is started only to be stopped: after a rebuild its volumes are enough.
      return guest ? "suspended" : "prepared";
    case "archived":
      return guest && !unlocked ? "closing" : "prepared";
    case "purged":
      return found === undefined || unlocked ? undefined : "removing";
  }
}
