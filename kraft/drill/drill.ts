import { randomBytes } from "node:crypto";
import type { WritableHost } from "../../cluster/client.ts";
import { paths } from "../../cluster/paths.ts";
import { drillNamespace } from "../../components/plan/drill.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { listAll } from "../cli/host.ts";
import { findLeftovers, removeLeftovers } from "./cleanup.ts";
import { takeLease, thisProcess } from "./lease.ts";
import { type ProvenVolume, recordFailure, recordProof } from "./record.ts";
import { drillName, restoreAndRead } from "./restore.ts";
import { type DrillPlan, drillPlan, plannedFrom, type Target } from "./targets.ts";

export type VolumeOutcome =
  | (ProvenVolume & { readonly ok: true; readonly seconds: number })
  | { readonly ok: false; readonly claim: string; readonly backup: string | null; readonly why: string };

/**
 * What `kraft drill --json` prints. `provenAt` is RFC 3339, null where nothing is proven; `backup` of a volume is null
 * where it has none.
 */
export interface DrillReport {
  readonly stack: string;
  readonly tenant: string;
  readonly ok: boolean;
  readonly provenAt: string | null;
  readonly volumes: readonly VolumeOutcome[];
  readonly unchecked: DrillPlan["unchecked"];
  /** Objects left by a drill that was interrupted. */
  readonly removedLeftovers: number;
  /** What has a drill's label and was not created by one. */
  readonly strange: readonly { readonly what: string; readonly why: string }[];
}

export interface DrillOrder {
  readonly stack: string;
  readonly tenant: string;
  /** Milliseconds for each volume. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Called with what is going on. */
  readonly progress: (text: string) => void;
}

/** Milliseconds that the deletion of one volume and what uses it may take. */
const removalLimit = 5 * 60_000;

/**
 * Restores the newest backup of every volume of a tenant, one after the other, each into a volume of its own in a
 * namespace of its own; reads all files; deletes it again; and records the result on the tenant's namespace. A drill that was
 * killed is cleaned up by the next one, of whatever tenant. Two never run at once. A Failure says that the drill cannot run;
 * that a backup cannot be restored is in the report.
 */
export async function drill(host: WritableHost, order: DrillOrder): Promise<DrillReport> {
  const { tenant, progress } = order;
  if ((await host.get(paths.namespaces.named(drillNamespace))) === undefined) {
    throw new Failure(
      `the cluster has no namespace ${drillNamespace}, which keeps restored volumes away from everything else: run pulumi up`,
    );
  }
  const self = thisProcess(randomBytes(8).toString("hex"));
  const lease = await takeLease(host, self);
  const signal = AbortSignal.any([order.signal, lease.signal]);
  try {
    const { strange } = await findLeftovers(host);
    const removedLeftovers = await removeLeftovers(host, { until: Date.now() + removalLimit, signal });
    const plan = drillPlan(tenant, await listAll(host, plannedFrom));
    const outcomes: VolumeOutcome[] = plan.missing.map(({ claim, why }) => ({ ok: false, claim, backup: null, why }));
    for (const [index, target] of plan.targets.entries()) {
      progress(`restoring and reading ${target.claim} (${index + 1} of ${plan.targets.length})`);
      outcomes.push(await outcome(host, order, signal, self.run, index, target));
    }
    const now = new Date();
    const why = failureOf(plan, outcomes);
    const proven = outcomes.filter((volume) => volume.ok).map(({ ok: _, seconds: __, ...volume }) => volume);
    signal.throwIfAborted();
    await (why === undefined
      ? recordProof(host, tenant, now, proven, plan.unchecked)
      : recordFailure(host, tenant, now, why));
    return {
      stack: order.stack,
      tenant,
      ok: why === undefined,
      provenAt: why === undefined ? now.toISOString() : null,
      volumes: outcomes,
      unchecked: plan.unchecked,
      removedLeftovers,
      strange,
    };
  } finally {
    // Whoever took the lease over cleans up; this run must not touch what is theirs.
    if (!lease.signal.aborted) {
      await removeLeftovers(host, { until: Date.now() + removalLimit });
      await lease.release();
    }
  }
}

/** Restores and reads one volume, and deletes what that created, however it ended. */
async function outcome(
  host: WritableHost,
  { tenant, limit }: DrillOrder,
  signal: AbortSignal,
  run: string,
  index: number,
  target: Target,
): Promise<VolumeOutcome> {
  const { claim, backup, snapshotCreatedAt } = target;
  const begun = Date.now();
  let result: VolumeOutcome;
  try {
    const patience = { until: Date.now() + limit, signal };
    const checked = await restoreAndRead(host, drillName(tenant, index), tenant, target, run, patience);
    const seconds = Math.round((Date.now() - begun) / 1000);
    result = { ok: true, claim, backup, snapshotCreatedAt, ...checked, seconds };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) {
      throw error;
    }
    result = { ok: false, claim, backup, why: messageOf(error) };
  }
  // The next volume may need the disk that this one holds.
  await removeLeftovers(host, { until: Date.now() + removalLimit, signal });
  return result;
}

/** Why a drill proves nothing; undefined where it does. */
function failureOf({ unchecked }: DrillPlan, volumes: readonly VolumeOutcome[]): string | undefined {
  const failed = volumes.filter((volume) => !volume.ok);
  if (failed.length > 0) {
    return failed.map(({ claim, why }) => `${claim}: ${why}`).join("; ");
  }
  if (volumes.length > 0) {
    return undefined;
  }
  return unchecked.length === 0
    ? "there is no volume and no backup of this tenant"
    : "none of this tenant's volumes can be read from outside";
}
