import { type LiveState, type LiveTenant, liveTenant } from "../../cluster/live-state.ts";
import { guestClaimText } from "../../cluster/longhorn.ts";
import { type LostClaim, lostClaimsOf } from "../../cluster/lost-claims.ts";
import { latest } from "../../cluster/objects.ts";
import type { RetainedVolume } from "../../cluster/retained.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Problem } from "../../errors/problem.ts";
import type { Model, Tenant } from "../model.ts";
import { awaitsData, type Staged } from "./stages.ts";

/** What of a tenant is gone that held data, what is still there of it, and what comes first. */
export interface Gone {
  /** For example `no guest cluster, but had one`. */
  readonly what: string;
  /** The volumes that are still there. */
  readonly lost: readonly LostClaim[];
  /** `wait` until the deletion is over; `suspend` the tenant, whose guest still uses what is being deleted. */
  readonly next: "recover" | "suspend" | "wait";
  /** Whether there is a Cluster. */
  readonly hasGuest: boolean;
}

type Declared = Pick<Tenant, "from" | "name" | "state">;
type Found = Pick<LiveTenant, "arrivedFrom" | "claims" | "ends" | "guest" | "movedTo" | "suspendedAt">;

/**
 * What of a tenant is gone although it held data; undefined where nothing is. Retained volumes prove that it held
 * data: a new tenant has none. `rebuildProblems` covers tenants whose data is only in the bucket.
 */
export function goneOf(
  tenant: Declared,
  found: Found | undefined,
  live: Pick<LiveState, "retained" | "volumes">,
): Gone | undefined {
  // A tenant that is offboarded or has moved away leaves volumes behind on purpose.
  if ((tenant.state !== "active" && tenant.state !== "suspended") || found?.movedTo !== undefined) {
    return undefined;
  }
  const { namespace, datastoreClaim } = tenantNames(tenant.name);
  const retained = awaitsData(tenant, found) ? live.retained.filter(ranHere) : live.retained;
  const { lost } = lostClaimsOf(tenant.name, found, { volumes: live.volumes, retained });
  const hasGuest = found?.guest === true;
  if (found?.ends === "namespace") {
    return { what: `its namespace ${namespace} is being deleted, with everything in it`, lost, next: "wait", hasGuest };
  }
  if (found?.ends === "guest") {
    return { what: "its guest cluster is being deleted, and its volume claims with it", lost, next: "wait", hasGuest };
  }
  const ending = found?.claims.filter(({ isEnding }) => isEnding === true) ?? [];
  if (found?.guest !== true) {
    const guest = found === undefined ? `neither namespace ${namespace} nor guest cluster` : "no guest cluster";
    if (ending.length > 0) {
      const names = ending.map(({ name }) => guestClaimText(tenant.name, name)).join(", ");
      return { what: `${guest}, and claims that are still being deleted: ${names}`, lost, next: "wait", hasGuest };
    }
    return lost.length === 0 ? undefined : { what: `${guest}, but it had one`, lost, next: "recover", hasGuest };
  }
  if (ending.some(({ name }) => name === datastoreClaim)) {
    return {
      what: "the claim of its guest's datastore is being deleted, and K3k would make an empty one",
      lost,
      next: found.suspendedAt === undefined ? "suspend" : "wait",
      hasGuest,
    };
  }
  const [first] = lost;
  if (first === undefined) {
    return undefined;
  }
  const isReplaced = lost.some(({ replaces }) => replaces !== undefined);
  return {
    what: isReplaced ? "its guest has an empty volume in place of one with data" : "its guest lacks claims that it had",
    lost,
    // A claim that a pod is about to use cannot change its volume.
    next: isReplaced && found.suspendedAt === undefined ? "suspend" : "recover",
    hasGuest,
  };
}

/** Whether a pod has used it in this cluster. A copy made by `kraft move` does not count: the tenant still runs elsewhere. */
function ranHere({ hasPersistentVolume, isInUse, lastUsedAt }: RetainedVolume): boolean {
  return hasPersistentVolume && (isInUse || lastUsedAt !== undefined);
}

/**
 * Refuses a run that would make anew, and empty, what held data: a guest cluster, a tenant's namespace, the claim of a
 * datastore. A tenant that stays suspended may lack claims while its Cluster exists, because nothing starts.
 */
export function goneProblems(
  { stack, leaveOut, phase }: Pick<Model, "leaveOut" | "phase"> & { readonly stack: { readonly name: string } },
  staged: readonly Staged[],
  live: LiveState,
): Problem[] {
  if (phase === "restore") {
    return [];
  }
  const retained = live.retained.filter(({ volume }) => !leaveOut.includes(volume));
  return staged.flatMap(({ tenant, stage }) => {
    const found = liveTenant(live, tenant.name);
    const gone = goneOf(tenant, found, { volumes: live.volumes, retained });
    const isSafe = found?.guest === true && found.ends === undefined && stage !== "guest";
    return gone === undefined || isSafe ? [] : [goneProblem(tenant.name, stack.name, gone)];
  });
}

function goneProblem(tenant: string, stack: string, gone: Gone): Problem {
  const recover = `npx kraft recover ${tenant} plan -s ${stack}`;
  const fixes = {
    recover: `${recover}, then apply, then pulumi up. ${gone.hasGuest ? "" : "If it is meant to be gone: state: archived. "}For volumes that are not to come back: kraft:leaveOut`,
    suspend: `state: suspended and pulumi up; then ${recover}. What is being deleted cannot be kept, but its volume is, and is put back`,
    wait: `wait until that is over, some minutes at most; then ${recover}`,
  };
  return {
    key: `kraft:tenants.${tenant}`,
    found: `${gone.what}; ${retainedText(tenant, gone.lost)}`,
    allowed: "a guest that starts over the volumes that it had: K3k would make empty ones",
    fix: fixes[gone.next],
  };
}

/** What is retained of a tenant, in words, and until when it had its claims. */
export function retainedText(tenant: string, lost: readonly LostClaim[]): string {
  const names = lost.map(({ claim, volume }) =>
    volume.lastBackupAt === undefined
      ? `${guestClaimText(tenant, claim)} (never backed up)`
      : guestClaimText(tenant, claim),
  );
  const ended = latest(lost.map(({ volume }) => volume.claimEndedAt));
  const until = ended === undefined ? "" : `, whose claims were there until ${minute(ended)}`;
  return names.length === 0 ? "its volumes are retained" : `its volumes are retained${until}: ${names.join(", ")}`;
}

function minute(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
