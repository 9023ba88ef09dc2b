import { type LiveState, type LiveTenant, liveTenant } from "../../cluster/live-state.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { listIf, type Problem, show, type Warning } from "../../errors/problem.ts";
import type { Model, Tenant } from "../model.ts";
import { awaitsData, type Staged } from "./stages.ts";

/**
 * What would let a tenant run in two clusters, lock a guest out of its own datastore, or start one without its volumes. The
 * two clusters know nothing of each other; `kraft move` leaves a note in both.
 */
export function moveProblems(
  { source, tenants }: Pick<Model, "source" | "tenants">,
  staged: readonly Staged[],
  live: LiveState,
): Problem[] {
  const ofTenants = tenants.flatMap((tenant) => {
    const found = liveTenant(live, tenant.name);
    if (found === undefined) {
      return [];
    }
    const starts = !found.guest && staged.some((entry) => entry.tenant.name === tenant.name && entry.stage === "guest");
    return [
      ...departed(tenant, found),
      ...otherOrigin(tenant, found),
      ...(starts && tenant.from !== undefined ? incomplete(tenant, found, live) : []),
    ];
  });
  return [...sourceLeft(source, live), ...ofTenants];
}

/** Longhorn does not delete a target while a volume follows it, but refuses only after everything else was changed. */
function sourceLeft(source: Model["source"], { volumes }: LiveState): Problem[] {
  const url = source && backupTargetUrl(source);
  const following = volumes.filter(
    ({ follows }) => follows !== undefined && (follows.target !== source?.stack || follows.url !== url),
  );
  const { follows } = following[0] ?? {};
  return listIf(follows !== undefined, {
    key: "kraft:source",
    found: `${source === undefined ? "nothing" : `${source.stack}, ${url}`}, but volumes follow the backups of ${follows?.target} in ${follows?.url}: ${following.map(({ name }) => name).join(", ")}`,
    allowed: "the same source, as long as a volume follows its backups",
    fix: "put it back, and end the move with cutover, or delete the copies: docs/moving.md",
  });
}

/** Tenants that move here and whose data has not arrived. */
export function moveWarnings({ stack, tenants }: Pick<Model, "stack" | "tenants">, live: LiveState): Warning[] {
  return tenants
    .filter((tenant) => tenant.state === "active" && awaitsData(tenant, liveTenant(live, tenant.name)))
    .map(({ name, from }) => ({
      key: `kraft:tenants.${name}.from`,
      message: `${from}: no guest yet, its data has not arrived. Next: npx kraft move ${name} copy -s ${stack.name}`,
    }));
}

function departed({ name, state }: Tenant, { movedTo }: LiveTenant): Problem[] {
  return listIf(movedTo !== undefined && state === "active", {
    key: `kraft:tenants.${name}.state`,
    found: `"active", but ${name} moved to ${movedTo?.to} (${movedTo?.at}): the tenant would run twice, and what is written here would be lost`,
    allowed: "suspended, archived or purged",
    fix: `state: suspended; if its guest never started on ${movedTo?.to}: npx kraft move ${name} back -s ${movedTo?.to}; if it did, see docs/moving.md`,
  });
}

/** A guest's token is derived from the stack that it came from, and K3s pins it in the datastore. */
function otherOrigin({ name, from }: Tenant, { guest, arrivedFrom }: LiveTenant): Problem[] {
  const key = `kraft:tenants.${name}.from`;
  const locked = "its guest's token would change, and it could not open its own data any more";
  return [
    ...listIf(arrivedFrom !== undefined && from !== arrivedFrom, {
      key,
      found: `${show(from)}, but ${name} came from ${arrivedFrom}: ${locked}`,
      allowed: show(arrivedFrom),
      fix: `from: ${arrivedFrom}`,
    }),
    ...listIf(arrivedFrom === undefined && from !== undefined && guest, {
      key,
      found: `${show(from)}, but ${name} did not come from there and runs here: ${locked}`,
      allowed: "nothing, for a tenant that did not move here",
      fix: "take the key out again",
    }),
  ];
}

/** A volume that arrived may have been deleted before the guest ever started. */
function incomplete({ name, from }: Tenant, { claims }: LiveTenant, { volumes }: LiveState): Problem[] {
  const whole = (volume: string | undefined): boolean =>
    volume !== undefined && volumes.some((found) => found.name === volume && found.whole);
  const { datastoreClaim } = tenantNames(name);
  const broken = [
    ...listIf(!claims.some((claim) => claim.name === datastoreClaim), `${datastoreClaim}, which is not there`),
    ...claims.filter(({ volume }) => !whole(volume)).map((claim) => claim.name),
  ];
  return listIf(broken.length > 0, {
    key: `kraft:tenants.${name}.from`,
    found: `${show(from)}, and volumes that are not whole: ${broken.join(", ")}`,
    allowed: "a guest that starts with all of its volumes",
    fix: `npx kraft move ${name} cutover`,
  });
}
