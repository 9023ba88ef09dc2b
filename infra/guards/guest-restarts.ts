import { untilServerRuns } from "../../cluster/guest-server.ts";
import type { RunningVersions } from "../../cluster/running-versions.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { listIf, type Warning } from "../../errors/problem.ts";
import type { Staged } from "./stages.ts";

/**
 * Minutes that a guest has for its restart. K3k asks its server after one minute for the first time, so that each takes more than
 * that; the image has to be fetched, and the volume may have to be attached on another node.
 */
const patienceMinutes = 10;

/** The guests that a run brings to another version of K3s, one after the other. */
export interface GuestRestarts {
  /** Tenants, in the order in which their guests restart. */
  readonly inTurn: readonly string[];
  /** Those whose guests are to run the version already: a run that was cut short may have left one that does not. */
  readonly before: readonly string[];
  /** Image tag of K3s. */
  readonly version: string;
  /** What K3k was told for each until then, by tenant. */
  readonly from: Readonly<Record<string, string>>;
}

/** Which guests restart in another version. A guest that is stopped, or not there yet, has none that anybody would miss. */
export function guestRestarts(
  staged: readonly Staged[],
  running: Pick<RunningVersions, "guests">,
  version: string,
): GuestRestarts {
  const live = staged
    .filter(({ stage }) => stage === "guest")
    .flatMap(({ tenant: { name } }) => {
      const guest = running.guests[name];
      return guest === undefined ? [] : [{ name, told: guest.told }];
    });
  const behind = live.filter(({ told }) => told !== version);
  return {
    inTurn: behind.map(({ name }) => name),
    before: live.filter(({ told }) => told === version).map(({ name }) => name),
    version,
    from: Object.fromEntries(behind.map(({ name, told }) => [name, told])),
  };
}

/** What a preview says of them. */
export function restartWarnings({ inTurn, version }: GuestRestarts, stack: string): Warning[] {
  return listIf(inTurn.length > 0, {
    key: `stacks/${stack}.ts, guestVersion, or kraft:guestVersion`,
    message:
      `${version}: these guests restart, one after the other: ${inTurn.join(", ")}. Each API is away for a minute or two; ` +
      "pods and sites go on",
  });
}

/**
 * Waits until the guest of a tenant runs the version.
 *
 * @throws Failure that names the guests which were not touched, where it does not.
 */
export async function seeThrough(
  host: Parameters<typeof untilServerRuns>[0],
  restarts: Pick<GuestRestarts, "from" | "inTurn" | "version">,
  tenant: string,
  minutes = patienceMinutes,
): Promise<void> {
  const { inTurn, version, from } = restarts;
  const patience = { until: Date.now() + minutes * 60_000, outage: 60_000 };
  try {
    await untilServerRuns(host, tenant, version, patience);
  } catch (error) {
    const untouched = inTurn.slice(inTurn.indexOf(tenant) + 1).map((name) => `${name} (${from[name] ?? ""})`);
    throw new Failure(
      `${messageOf(error)}.\n` +
        (untouched.length === 0 ? "" : `Not touched, and running as before: ${untouched.join(", ")}.\n`) +
        "See docs/runbooks/guest-down.md; the next pulumi up goes on from here.",
    );
  }
}
