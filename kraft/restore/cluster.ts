import { Failure } from "../../errors/failure.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../../cluster/client.ts";
import { duration } from "../cli/moment.ts";
import type { Live, LiveClaim, LivePersistentVolume, LiveVolume } from "./live.ts";
import { paths, type Parameters } from "./objects.ts";
import type { PlannedVolume } from "./plan.ts";

/** Milliseconds between two looks at a volume. */
export const interval = 1000;

/** Milliseconds for which Longhorn may know nothing of a backup: it reads its target every five minutes. */
const patience = 11 * 60_000;

/** Milliseconds for which the cluster may not answer while volumes are restored. */
const outage = 5 * 60_000;

/** @throws Failure where something that Longhorn should do by itself has not happened for too long */
export function checkPatience(since: number, what: string): void {
  if (Date.now() - since > patience) {
    throw new Failure(`${what} for ${duration(patience)}\n  See what Longhorn says: npm run kraft -- status`);
  }
}

/**
 * What `look` sees, if need be later: a node that restarts takes its API server with it, and hours of download need not end
 * for that.
 *
 * @throws Failure of the last look, once the outage is too long.
 */
export async function untilAnswered<Value>(look: () => Promise<Value>): Promise<Value> {
  const since = Date.now();
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof Failure) || Date.now() - since > outage) {
        throw error;
      }
      await sleep(interval);
    }
  }
}

/** What the cluster has of a volume. */
export async function liveOf(host: Host, { volume, namespace, claim }: PlannedVolume): Promise<Live> {
  const [live, persistentVolume, liveClaim] = await Promise.all([
    host.get<LiveVolume>(paths.volume(volume)),
    host.get<LivePersistentVolume>(paths.persistentVolume(volume)),
    host.get<LiveClaim>(paths.claim(namespace, claim)),
  ]);
  return { volume: live, persistentVolume, claim: liveClaim };
}

interface BackupTarget {
  readonly spec?: { readonly backupTargetURL?: string };
  readonly status?: {
    readonly available?: boolean;
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[] | null;
  };
}

/**
 * Makes sure that Longhorn reads the same backups that were looked at.
 *
 * @param name Longhorn's name of the target.
 * @param url Where the backups are that were looked at.
 * @param remedy What to do where Longhorn knows another target, or none.
 * @throws Failure where it does not.
 */
export async function rightTarget(host: Host, name: string, url: string, remedy: string): Promise<void> {
  const live = await host.get<BackupTarget>(paths.backupTarget(name));
  const known = live?.spec?.backupTargetURL ?? "";
  if (known !== url) {
    throw new Failure(
      `Longhorn's backup target ${name === "default" ? "" : `${name} `}is ${known === "" ? "not set yet" : known}, and the backups that were read are in ${url}\n` +
        `  ${remedy}`,
    );
  }
  if (live?.status?.available !== true) {
    const why = live?.status?.conditions?.find(({ type }) => type === "Unavailable")?.message ?? "";
    throw new Failure(
      `Longhorn cannot reach its backup target ${url}${why === "" ? "" : `: ${why}`}\n` +
        "  It looks again every five minutes; see npm run kraft -- status.",
    );
  }
}

/**
 * Parameters of every class that is needed, by its name.
 *
 * @param remedy What to do where one is missing.
 * @throws Failure where one is.
 */
export async function classesOf(
  host: Host,
  volumes: readonly PlannedVolume[],
  remedy: string,
): Promise<ReadonlyMap<string, Parameters>> {
  const names = [...new Set(volumes.map(({ storageClass }) => storageClass))];
  const found = await Promise.all(
    names.map(async (name) => {
      const live = await host.get<{ readonly parameters?: Parameters }>(paths.storageClass(name));
      return [name, live] as const;
    }),
  );
  const missing = found.flatMap(([name, live]) => (live === undefined ? [name] : []));
  if (missing.length > 0) {
    throw new Failure(`the cluster has no storage class ${missing.join(", ")}\n  ${remedy}`);
  }
  return new Map(found.map(([name, live]) => [name, live?.parameters ?? {}]));
}
