import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { WritableHost } from "../../cluster/client.ts";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { drillNamespace } from "../../components/plan/drill.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { moment } from "../cli/moment.ts";

const name = "kraft-drill";
const path = `/apis/coordination.k8s.io/v1/namespaces/${drillNamespace}/leases/${name}`;

/** Seconds for which a drill holds the lease after it renewed it; it renews it four times as often. */
const duration = 60;

interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly renewTime?: string;
  };
}

/** Who holds a lease: what the operator is told, and what tells whether the process still runs. */
export interface Holder {
  readonly run: string;
  readonly host: string;
  /** The namespace of process IDs that `pid` is in; empty where it cannot be told. */
  readonly processes: string;
  readonly pid: number;
}

/** This process, as the holder of a lease. */
export function thisProcess(run: string): Holder {
  let processes = "";
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    processes = `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // Not Linux: an abandoned lease is recognized by its age alone.
  }
  return { run, host: hostname(), processes, pid: process.pid };
}

/**
 * Whether nobody holds a lease any more: it is too old, or its holder was a process of this machine and has ended. An ID
 * that another process has by now counts as running, which only means to wait.
 */
export function isAbandoned(
  lease: Lease["spec"],
  now: Date,
  self: Holder,
  runs: (pid: number) => boolean = isRunning,
): boolean {
  const renewed = Date.parse(lease?.renewTime ?? "");
  if (!(now.getTime() - renewed < (lease?.leaseDurationSeconds ?? duration) * 1000)) {
    return true;
  }
  const holder = holderOf(lease?.holderIdentity);
  return holder !== undefined && holder.processes !== "" && holder.processes === self.processes && !runs(holder.pid);
}

function holderOf(identity: string | undefined): Holder | undefined {
  try {
    return JSON.parse(identity ?? "") as Holder;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Keeps two drills from running at once: one would clean up what the other works on. */
export interface HeldLease {
  /** Aborted when the lease is lost: from then on nothing may be touched. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the cluster's one lease for drills, and renews it until it is released; a Failure if a drill that runs holds it.
 */
export async function takeLease(host: WritableHost, self: Holder): Promise<HeldLease> {
  const found = await host.get<Lease>(path);
  if (found !== undefined) {
    if (!isAbandoned(found.spec, new Date(), self)) {
      throw new Failure(heldText(found));
    }
    await host.delete(path, found.metadata.uid);
  }
  const lost = new AbortController();
  const { metadata } = await renew(host, self);
  let renewed = Date.now();
  const timer = setInterval(
    () => {
      renew(host, self).then(
        () => {
          renewed = Date.now();
        },
        (error: unknown) => {
          // One missing answer is no loss yet; a lease that another run has taken is.
          if (Date.now() - renewed > (duration / 2) * 1000 || messageOf(error).includes(": 409 ")) {
            lost.abort(new Failure(`the lease of this drill is lost: ${messageOf(error)}`));
          }
        },
      );
    },
    (duration / 4) * 1000,
  );
  timer.unref();
  return {
    signal: lost.signal,
    release: async () => {
      clearInterval(timer);
      await host.delete(path, metadata.uid);
    },
  };
}

/** Written by a field manager of this run alone: the API server refuses it once another run has written the lease. */
function renew(host: WritableHost, self: Holder): Promise<Lease> {
  return host.apply<Lease>(
    path,
    {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: drillNamespace },
      spec: {
        holderIdentity: JSON.stringify(self),
        leaseDurationSeconds: duration,
        renewTime: new Date().toISOString().replace("Z", "000Z"),
      },
    },
    `kraft-drill-${self.run}`,
  );
}

function heldText({ spec }: Lease): string {
  const holder = holderOf(spec?.holderIdentity);
  const renewed = new Date(spec?.renewTime ?? 0);
  return (
    `another drill runs: ${holder === undefined ? "by somebody unknown" : `process ${holder.pid} on ${holder.host}`}, ` +
    `last heard of ${moment(renewed)}\n` +
    `  Wait for its end. If it was killed on another machine, it is taken over from ${moment(new Date(renewed.getTime() + duration * 1000 + 60_000))}.`
  );
}
