import type { LiveState, LiveTenant } from "../../cluster/live-state.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { type Problem, show, type Warning } from "../../errors/problem.ts";
import type { Model, Tenant } from "../model.ts";
import { awaitsData, type Staged } from "./stages.ts";

/**
 * What would let a tenant run in two clusters, lock a guest out of its own datastore, or start one without its volumes. The
 * two clusters know nothing of each other; `kraft move` leaves word in both.
 */
export function moveProblems(
  { source, tenants }: Pick<Model, "source" | "tenants">,
  staged: readonly Staged[],
  live: LiveState,
): Problem[] {
  const ofTenants = tenants.flatMap((tenant) => {
    const found = live.tenants.find(({ name }) => name === tenant.name);
    const stage = staged.find((entry) => entry.tenant.name === tenant.name)?.stage;
    return found === undefined
      ? []
      : [
          ...departed(tenant, found),
          ...otherOrigin(tenant, found),
          ...(stage === "guest" && !found.guest && tenant.from !== undefined ? incomplete(tenant, found, live) : []),
        ];
  });
  return [...sourceLeft(source, live), ...ofTenants];
}

/** Longhorn lets no target go while a volume follows it, and refuses that after everything else was changed. */
function sourceLeft(source: Model["source"], { volumes }: LiveState): Problem[] {
  const following = volumes.filter(
    ({ follows }) =>
      follows !== undefined && (follows.target !== source?.stack || follows.url !== backupTargetUrl(source)),
  );
  const [first] = following;
  return first?.follows === undefined
    ? []
    : [
        {
          key: "kraft:source",
          found: `${source === undefined ? "nothing" : `${source.stack}, ${backupTargetUrl(source)}`}, but volumes follow the backups of ${first.follows.target} in ${first.follows.url}: ${following.map(({ name }) => name).join(", ")}`,
          allowed: "the same source, as long as a volume follows its backups",
          fix: "put it back, and end the move with cutover, or delete the copies: docs/moving.md",
        },
      ];
}

/** Who is still to come. */
export function moveWarnings({ stack, tenants }: Pick<Model, "stack" | "tenants">, live: LiveState): Warning[] {
  return tenants
    .filter((tenant) => tenant.state === "active")
    .filter((tenant) =>
      awaitsData(
        tenant,
        live.tenants.find(({ name }) => name === tenant.name),
      ),
    )
    .map(({ name, from = "" }) => ({
      key: `kraft:tenants.${name}.from`,
      message: `${from}: no guest yet, its data is still to come. Next: npx kraft move ${name} copy -s ${stack.name}`,
    }));
}

function departed({ name, state }: Tenant, { movedTo }: LiveTenant): Problem[] {
  return movedTo === undefined || state !== "active"
    ? []
    : [
        {
          key: `kraft:tenants.${name}.state`,
          found: `"active", but ${name} moved to ${movedTo.to} (${movedTo.at}): the tenant would run twice, and what is written here would be lost`,
          allowed: "suspended, archived or purged",
          fix: `state: suspended; if its guest never started on ${movedTo.to}: npx kraft move ${name} back -s ${movedTo.to}; if it did, see docs/moving.md`,
        },
      ];
}

/** The token of a guest follows from where it came from, and K3s pins it in the datastore. */
function otherOrigin({ name, from }: Tenant, { guest, arrivedFrom }: LiveTenant): Problem[] {
  const key = `kraft:tenants.${name}.from`;
  const locked = "its guest's token would change, and it could not open its own data any more";
  if (arrivedFrom !== undefined && from !== arrivedFrom) {
    return [
      {
        key,
        found: `${from === undefined ? "nothing" : show(from)}, but ${name} came from ${arrivedFrom}: ${locked}`,
        allowed: show(arrivedFrom),
        fix: `from: ${arrivedFrom}`,
      },
    ];
  }
  return guest && from !== undefined && arrivedFrom === undefined
    ? [
        {
          key,
          found: `${show(from)}, but ${name} did not come from there and runs here: ${locked}`,
          allowed: "nothing, for a tenant who was always here",
          fix: "take the key out again",
        },
      ]
    : [];
}

/** What arrived may have been taken away again before the guest ever started. */
function incomplete({ name, from }: Tenant, { claims }: LiveTenant, { volumes }: LiveState): Problem[] {
  const whole = (volume: string | undefined): boolean =>
    volume !== undefined && volumes.some((found) => found.name === volume && found.whole);
  const { datastoreClaim } = tenantNames(name);
  const broken = claims.filter(({ volume }) => !whole(volume)).map((claim) => claim.name);
  if (!claims.some((claim) => claim.name === datastoreClaim)) {
    broken.unshift(`${datastoreClaim}, which is not there`);
  }
  return broken.length === 0
    ? []
    : [
        {
          key: `kraft:tenants.${name}.from`,
          found: `${show(from)}, and volumes that are not whole: ${broken.join(", ")}`,
          allowed: "a guest that starts over all of its volumes",
          fix: `npx kraft move ${name} cutover`,
        },
      ];
}
