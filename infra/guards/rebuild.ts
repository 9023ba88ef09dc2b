import { type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Problem } from "../../errors/problem.ts";
import type { Model } from "../model.ts";
import type { Staged } from "./stages.ts";

/** The backups in the bucket. */
export interface BackedUp {
  readonly volumes: readonly { readonly volume: string; readonly namespace: string; readonly claim: string }[];
  readonly damaged: readonly { readonly volume: string; readonly message: string }[];
  /** With a backup, and without a claim to give them to. */
  readonly unattached: readonly { readonly volume: string; readonly message: string }[];
}

/** Tenants whose guest this run starts. */
function starting(staged: readonly Staged[], live: LiveState): string[] {
  return staged
    .filter(({ stage }) => stage === "guest")
    .map(({ tenant }) => tenant.name)
    .filter((name) => liveTenant(live, name)?.guest !== true);
}

/**
 * Whether this run starts something that must not run over volumes that are still to come back: a guest, which would
 * find empty volumes, or the schedules, which would prune the backups of volumes that are not there.
 */
export function readsCatalogue({ phase }: Pick<Model, "phase">, staged: readonly Staged[], live: LiveState): boolean {
  return phase === "run" && (!live.schedules || starting(staged, live).length > 0);
}

/**
 * What is in the bucket and not in the cluster, although a guest or the schedules are about to start. With the first run
 * of the schedules everything has to be back; with one more tenant, what is theirs.
 */
export function rebuildProblems(
  model: Pick<Model, "leaveOut" | "tenants">,
  staged: readonly Staged[],
  live: LiveState,
  backedUp: BackedUp,
): Problem[] {
  const started = starting(staged, live).map((name) => tenantNames(name).namespace);
  // Of who is archived or purged only backups are left, and are meant to be.
  const gone = model.tenants
    .filter(({ state }) => state === "archived" || state === "purged")
    .map(({ name }) => tenantNames(name).namespace);
  const concerns = (namespace: string): boolean =>
    (!live.schedules && !gone.includes(namespace)) || started.includes(namespace);
  const left = (volume: string): boolean => model.leaveOut.includes(volume);
  const problems: Problem[] = [];
  for (const [namespace, volumes] of Map.groupBy(backedUp.volumes, (volume) => volume.namespace)) {
    const missing = volumes.filter(({ volume, claim }) => !left(volume) && !isBack(live, namespace, volume, claim));
    if (missing.length > 0 && concerns(namespace)) {
      problems.push(missingProblem(model, namespace, missing));
    }
  }
  if (!live.schedules) {
    // One that comes back from an older backup counts as any other.
    const lost = backedUp.damaged.filter(({ volume }) => !backedUp.volumes.some((found) => found.volume === volume));
    for (const { volume, message } of [...lost, ...backedUp.unattached].filter((entry) => !left(entry.volume))) {
      problems.push({
        key: "kraft:phase",
        found: `"run", but the backup of volume ${volume} cannot come back: ${message}`,
        allowed: "run once every volume in the bucket is back, or left out on purpose",
        fix: `see docs/runbooks/house-burned-down.md; to go on without it: add ${volume} to kraft:leaveOut`,
      });
    }
  }
  return problems;
}

function isBack(live: LiveState, namespace: string, volume: string, claim: string): boolean {
  return (
    live.volumes.some(({ name, whole }) => name === volume && whole) &&
    live.tenants.some(
      ({ name, claims }) =>
        tenantNames(name).namespace === namespace &&
        claims.some((found) => found.name === claim && found.volume === volume),
    )
  );
}

function missingProblem(
  { tenants }: Pick<Model, "tenants">,
  namespace: string,
  missing: readonly { readonly volume: string; readonly claim: string }[],
): Problem {
  const tenant = tenants.find(({ name }) => tenantNames(name).namespace === namespace);
  const names = missing.map(({ volume, claim }) => `${claim} (${volume})`).join(", ");
  if (tenant === undefined) {
    return {
      key: "kraft:tenants",
      found: `no tenant of namespace ${namespace}, whose volumes are in the bucket: ${names}`,
      allowed: "every tenant that has backups, in whatever state",
      fix: `add the tenant, if only with state: archived; or add these volumes to kraft:leaveOut`,
    };
  }
  return {
    key: "kraft:phase",
    found: `"run", but of ${tenant.name} ${missing.length === 1 ? "a volume is" : `${missing.length} volumes are`} only in the bucket: ${names}`,
    allowed: "run once every volume in the bucket is back: a guest would start with empty volumes",
    fix: "kraft:phase: restore, pulumi up, then npx kraft restore apply; or add the volume to kraft:leaveOut",
  };
}
