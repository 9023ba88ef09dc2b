import { Failure } from "../../errors/failure.ts";
import { drillNamespace } from "../../components/plan/drill.ts";
import type { WritableHost } from "../../cluster/client.ts";
import type { Volume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { waitFor, type Patience } from "../../cluster/wait.ts";
import { checkerResult, type Checked, type Terminated } from "./checker.ts";
import { checkerPod, drillName, scratchClaim, scratchPersistentVolume, scratchVolume } from "./objects.ts";
import type { Target } from "./targets.ts";

/** Milliseconds that a simulated pod has for a result: there is none to come, unless a test writes it. */
const simulatedPatience = 10_000;

/** Milliseconds for which Longhorn may find no disk for a copy. */
const schedulingPatience = 60_000;

interface Pod {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly terminated?: Terminated;
        readonly waiting?: { readonly reason?: string; readonly message?: string };
      };
    }[];
  };
}

/** One drill: who drills, as whom it writes, and how long each volume may take. */
export interface Drill {
  readonly host: WritableHost;
  readonly tenant: string;
  readonly run: string;
  readonly signal: AbortSignal;
  /** Milliseconds for the restore and the reading of one volume. */
  readonly limit: number;
  /** Milliseconds after which a simulated pod is given up. */
  readonly simulatedPatience?: number;
}

/**
 * Restores one backup into a volume of its own, and reads all of it. What it makes is the caller's to remove, however this
 * ends.
 *
 * @throws Failure if it cannot be restored or read; the message says why.
 */
export async function restoreAndRead(drill: Drill, index: number, target: Target): Promise<Checked> {
  const { host, tenant, run, signal } = drill;
  const name = drillName(tenant, index);
  const fieldManager = `kraft-drill-${run}`;
  const patience: Patience = { until: Date.now() + drill.limit, signal };
  const inNamespace = `/api/v1/namespaces/${drillNamespace}`;
  await host.apply(paths.volumes.named(name), scratchVolume(name, tenant, target), fieldManager);
  await restored(host, name, patience);
  await host.apply(`/api/v1/persistentvolumes/${name}`, scratchPersistentVolume(name, tenant, target), fieldManager);
  await host.apply(`${inNamespace}/persistentvolumeclaims/${name}`, scratchClaim(name, tenant, target), fieldManager);
  await host.apply(`${inNamespace}/pods/${name}`, checkerPod(name, tenant, target, run), fieldManager);
  const ended = await checkerEnd(drill, name, patience);
  const result = checkerResult(ended, run, target.isDatastore);
  if ("why" in result) {
    throw new Failure(result.why);
  }
  return result;
}

/** Waits until Longhorn has restored a volume: detached again, and no restore required. */
async function restored(host: WritableHost, name: string, patience: Patience): Promise<void> {
  const begun = Date.now();
  let last: Volume["status"];
  await waitFor(
    "restoring the backup",
    async () => {
      const volume = await host.get(paths.volumes.named(name));
      if (volume === undefined) {
        throw new Failure(`somebody deleted the volume ${name} while it was restored`);
      }
      last = volume.status;
      const restore = condition(last, "Restore");
      if (last?.robustness === "faulted" || restore?.reason === "RestoreFailure") {
        throw new Failure(`Longhorn could not restore it: ${restore?.message ?? "the volume is faulted"}`);
      }
      const scheduled = condition(last, "Scheduled");
      if (scheduled?.status === "False" && Date.now() - begun > schedulingPatience) {
        throw new Failure(`Longhorn finds no disk for it: ${scheduled.message ?? scheduled.reason ?? ""}`);
      }
      // Before Longhorn has looked at the volume, nothing is required of it either.
      return last?.state === "detached" && last.restoreInitiated === true && last.restoreRequired !== true
        ? true
        : undefined;
    },
    patience,
    () => `the volume is ${last?.state ?? "not looked at by Longhorn yet"}`,
  );
}

function condition(status: Volume["status"], type: string) {
  return status?.conditions?.find((candidate) => candidate.type === type);
}

/** Waits until the checker has ended. */
async function checkerEnd(drill: Drill, name: string, patience: Patience): Promise<Terminated> {
  const { host } = drill;
  let last: Pod["status"];
  let simulatedSince: number | undefined;
  return waitFor(
    "reading the restored volume",
    async () => {
      const pod = await host.get<Pod>(`/api/v1/namespaces/${drillNamespace}/pods/${name}`);
      if (pod === undefined) {
        throw new Failure("somebody deleted the checker's pod before it had read everything");
      }
      last = pod.status;
      const [status] = pod.status?.containerStatuses ?? [];
      if (status?.state?.terminated !== undefined) {
        return status.state.terminated;
      }
      if (last?.phase === "Failed") {
        throw new Failure(`the checker's pod failed: ${last.message ?? last.reason ?? "no reason given"}`);
      }
      if (last?.phase === "Running" && (await isSimulated(host, pod.spec?.nodeName ?? ""))) {
        simulatedSince ??= Date.now();
        if (Date.now() - simulatedSince > (drill.simulatedPatience ?? simulatedPatience)) {
          throw new Failure(
            `nothing was read: node ${pod.spec?.nodeName ?? ""} is simulated, and its pods run without a container. ` +
              "A pod without a result proves nothing",
          );
        }
      }
      return undefined;
    },
    patience,
    () => {
      const waiting = last?.containerStatuses?.[0]?.state?.waiting;
      return `the checker's pod is ${last?.phase ?? "not there yet"}${waiting === undefined ? "" : `: ${waiting.reason ?? ""} ${waiting.message ?? ""}`.trimEnd()}`;
    },
  );
}

async function isSimulated(host: WritableHost, node: string): Promise<boolean> {
  const found = await host.get<{ readonly metadata: { readonly labels?: Readonly<Record<string, string>> } }>(
    `/api/v1/nodes/${node}`,
  );
  return found?.metadata.labels?.["kraft.dev/simulated"] === "true";
}
