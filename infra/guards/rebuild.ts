import { type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { lostClaimsOf } from "../../cluster/lost-claims.ts";
import { tenantNames, tenantOfNamespace } from "../../components/plan/names.ts";
import type { Problem } from "../../errors/problem.ts";
import type { CatalogueMessage, CatalogueVolume } from "../catalogue/attach.ts";
import type { Model } from "../model.ts";
import type { Staged } from "./stages.ts";

/** The backups in the bucket, as `Catalogue` has them. */
export interface BackedUp {
  readonly volumes: readonly Pick<CatalogueVolume, "volume" | "namespace" | "claim">[];
  readonly damaged: readonly Pick<CatalogueMessage, "volume" | "message">[];
  readonly unattached: readonly Pick<CatalogueMessage, "volume" | "message">[];
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
  model: Pick<Model, "leaveOut" | "tenants"> & { readonly stack: Pick<Model["stack"], "name"> },
  staged: readonly Staged[],
  live: LiveState,
  backedUp: BackedUp,
): Problem[] {
  const started = starting(staged, live).map((name) => tenantNames(name).namespace);
  // Of a tenant that is archived or purged only backups are left, and are meant to be.
  const gone = model.tenants
    .filter(({ state }) => state === "archived" || state === "purged")
    .map(({ name }) => tenantNames(name).namespace);
  const expected = backedUp.volumes.filter(
    ({ namespace }) => (!live.schedules && !gone.includes(namespace)) || started.includes(namespace),
  );
  const missing = expected.filter((volume) => !model.leaveOut.includes(volume.volume) && !isBack(live, volume));
  const byNamespace = (volumes: BackedUp["volumes"]) => [...Map.groupBy(volumes, ({ namespace }) => namespace)];
  if (live.schedules) {
    return byNamespace(missing.filter((volume) => !isAccountedFor(model.tenants, live, volume))).map(
      ([namespace, volumes]) => onlyInBucket(model, namespace, volumes),
    );
  }
  const problems = byNamespace(missing).map(([namespace, volumes]) => missingProblem(model, namespace, volumes));
  // A volume that comes back from an older backup is not lost.
  const lost = backedUp.damaged.filter(({ volume }) => !backedUp.volumes.some((found) => found.volume === volume));
  const unrestorable = [...lost, ...backedUp.unattached].filter(({ volume }) => !model.leaveOut.includes(volume));
  return [
    ...problems,
    ...unrestorable.map(({ volume, message }) => ({
      key: "kraft:phase",
      found: `"run", but the backup of volume ${volume} cannot come back: ${message}`,
      allowed: "run once every volume in the bucket is back, or left out on purpose",
      fix: `see docs/runbooks/house-burned-down.md; to go on without it: add ${volume} to kraft:leaveOut`,
    })),
  ];
}

/** Whether a backed-up volume is whole in the cluster and bound to its claim. */
function isBack({ volumes, tenants }: LiveState, { volume, namespace, claim }: BackedUp["volumes"][number]): boolean {
  const claims = tenants.find(({ name }) => tenantNames(name).namespace === namespace)?.claims ?? [];
  return (
    volumes.some(({ name, whole }) => name === volume && whole) &&
    claims.some((found) => found.name === claim && found.volume === volume)
  );
}

/**
 * Whether the cluster itself knows more of a volume than its backups do, on a platform that runs: its claim is bound to a
 * later volume with data, or the tenant deleted the claim.
 */
function isAccountedFor(
  tenants: Model["tenants"],
  live: LiveState,
  { volume, namespace, claim }: BackedUp["volumes"][number],
): boolean {
  const name = tenants.find((tenant) => tenantNames(tenant.name).namespace === namespace)?.name ?? "";
  const found = liveTenant(live, name);
  const bound = found?.claims.find((candidate) => candidate.name === claim)?.volume;
  const later = live.volumes.find((candidate) => candidate.name === bound);
  return (
    lostClaimsOf(name, found, live).left.some((retained) => retained.volume === volume) &&
    (bound === undefined || (later?.whole === true && later.isUnused !== true))
  );
}

/** On a platform that runs, one tenant's volumes come back by themselves. */
function onlyInBucket(
  { stack }: { readonly stack: Pick<Model["stack"], "name"> },
  namespace: string,
  missing: BackedUp["volumes"],
): Problem {
  const tenant = tenantOfNamespace(namespace) ?? namespace;
  const names = missing.map(({ volume, claim }) => `${claim} (${volume})`).join(", ");
  return {
    key: `kraft:tenants.${tenant}`,
    found: `no guest cluster, and ${missing.length === 1 ? "a volume" : `${missing.length} volumes`} only in the bucket: ${names}`,
    allowed: "a guest that starts over the volumes that it had: K3k would make empty ones",
    fix: `npx kraft recover ${tenant} plan -s ${stack.name}, then apply, then pulumi up; for volumes that are not to come back: kraft:leaveOut`,
  };
}

function missingProblem({ tenants }: Pick<Model, "tenants">, namespace: string, missing: BackedUp["volumes"]): Problem {
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
