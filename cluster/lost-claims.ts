import { tenantNames } from "../components/plan/names.ts";
import type { LiveState, LiveTenant } from "./live-state.ts";
import type { RetainedVolume } from "./retained.ts";

/** A claim that a guest needs and does not have, and the retained volume that it had last. */
export interface LostClaim {
  readonly claim: string;
  readonly volume: RetainedVolume;
  /** Other retained volumes that claims of this name had, the latest first. */
  readonly others: readonly RetainedVolume[];
  /** Volume of a claim of this name that was made since, to which nothing was ever written. */
  readonly replaces?: string;
}

/** What a tenant has lost, and what it gave up by itself. */
export interface Losses {
  /** The datastore first. */
  readonly lost: readonly LostClaim[];
  /** Retained volumes that the guest did not know any more when it last ran, and those that were replaced. */
  readonly left: readonly RetainedVolume[];
}

/**
 * How long before the end of a guest its claims may have ended that go with it: a pod on a node that is off keeps its volume
 * until the node is back, and the guest's own server may be on that node.
 */
const longestEnd = 24 * 3_600_000;

/**
 * What of a tenant's claims is gone although the guest needs it. A claim that the tenant deleted leaves a retained volume as
 * well, which is no loss: it can only have been deleted by way of the guest, and so while that ran.
 *
 * - Without a Cluster: the claims that ended with the guest, at most a day before it.
 * - With a Cluster that is suspended: the datastore's, and those that ended after the guest had.
 * - With one that runs: the datastore's alone.
 */
export function lostClaimsOf(
  tenant: string,
  found: Pick<LiveTenant, "claims" | "guest" | "suspendedAt"> | undefined,
  { volumes, retained }: Pick<LiveState, "retained" | "volumes">,
): Losses {
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const own = retained.filter((volume) => volume.namespace === namespace);
  const candidates = [...Map.groupBy(own, ({ claim }) => claim)].map(([claim, rivals]) => {
    const [volume, ...others] = rivals.toSorted(lastHeldFirst);
    const bound = found?.claims.find(({ name }) => name === claim)?.volume;
    const isEmpty = bound !== undefined && volumes.some(({ name, isUnused }) => name === bound && isUnused === true);
    return { claim, volume, others, bound, isEmpty };
  });
  const datastore = candidates.find(({ claim }) => claim === datastoreClaim);
  const current = found?.claims.find(({ name }) => name === datastoreClaim)?.volume;
  const server =
    datastore === undefined || (current !== undefined && !datastore.isEmpty)
      ? volumes.find(({ name }) => name === current)
      : datastore.volume;
  const end = Date.parse(
    server?.lastUsedAt ?? (server !== undefined && "claimEndedAt" in server ? server.claimEndedAt : undefined) ?? "",
  );
  const suspended = Date.parse(found?.suspendedAt ?? "");

  const endedWithGuest = ({ claim, claimEndedAt }: RetainedVolume): boolean => {
    if (claim === datastoreClaim) {
      return true;
    }
    const ended = Date.parse(claimEndedAt ?? "");
    if (found?.guest === true) {
      // Nothing but a person at the host deletes a claim of a guest that does not run.
      return ended > end && ended > suspended;
    }
    return Number.isNaN(ended) || Number.isNaN(end) || ended >= end - longestEnd;
  };
  const lost = candidates.flatMap(({ claim, volume, others, bound, isEmpty }): LostClaim[] => {
    if (volume === undefined || (bound !== undefined && (!isEmpty || volume.isUnused)) || !endedWithGuest(volume)) {
      return [];
    }
    return [{ claim, volume, others, replaces: bound }];
  });
  const taken = new Set(lost.map(({ volume }) => volume.volume));
  return {
    lost: lost.sort(
      (a, b) => Number(b.claim === datastoreClaim) - Number(a.claim === datastoreClaim) || (a.claim < b.claim ? -1 : 1),
    ),
    left: own.filter(({ volume }) => !taken.has(volume)),
  };
}

/**
 * Of the volumes that claims of one name had: one that was chosen already, then one with data, then the one whose claim was
 * there last.
 */
export function lastHeldFirst(a: RetainedVolume, b: RetainedVolume): number {
  const ended = ({ claimEndedAt }: RetainedVolume): number => Date.parse(claimEndedAt ?? "9999-01-01T00:00:00Z");
  return (
    Number(b.isFreed) - Number(a.isFreed) ||
    Number(a.isUnused) - Number(b.isUnused) ||
    ended(b) - ended(a) ||
    Date.parse(b.createdAt ?? "") - Date.parse(a.createdAt ?? "") ||
    (a.volume < b.volume ? -1 : 1)
  );
}

/**
 * The volume that K3k made for a guest's datastore although an earlier one is retained: the guest runs, and knows nothing of
 * what it had. Undefined where there is none.
 */
export function datastoreMadeAnew(
  tenant: string,
  found: Pick<LiveTenant, "claims"> | undefined,
  { volumes, retained }: Pick<LiveState, "retained" | "volumes">,
): { readonly made: string; readonly madeAt: string; readonly earlier: RetainedVolume } | undefined {
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const made = volumes.find(
    ({ name }) => name === found?.claims.find((claim) => claim.name === datastoreClaim)?.volume,
  );
  const [earlier] = retained
    .filter((volume) => volume.namespace === namespace && volume.claim === datastoreClaim && !volume.isUnused)
    .sort(lastHeldFirst);
  const madeAt = made?.createdAt ?? "";
  // Longhorn notices the end of a claim some seconds late.
  const isAnew = made?.isRestored !== true && Date.parse(madeAt) >= Date.parse(earlier?.claimEndedAt ?? "") - 60_000;
  return made !== undefined && earlier !== undefined && isAnew ? { made: made.name, madeAt, earlier } : undefined;
}
