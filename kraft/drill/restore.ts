import type { WritableHost } from "../../cluster/client.ts";
import type { RestorableVolume } from "../../cluster/manifests.ts";
import type { Pod } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { restoreVolume } from "../../cluster/restore.ts";
import { type Patience, waitFor } from "../../cluster/wait.ts";
import { drillNamespace } from "../../components/plan/drill.ts";
import { Failure } from "../../errors/failure.ts";
import { type Checked, checkerPod, checkerResult } from "./checker.ts";
import type { Target } from "./targets.ts";

/** Milliseconds that a simulated pod has for a result: none will come, unless a test writes it. */
const simulatedPatience = 10_000;

/** Name of the n-th volume of a tenant's drill, and of everything that belongs to it. */
export function drillName(tenant: string, index: number): string {
  return `drill-${tenant}-${index}`;
}

/** Names that drills give. Nothing with another name is ever deleted as theirs. */
export const drillNamePattern = /^drill-[a-z][a-z0-9]*-\d+$/;

/** The volume, in a namespace of its own, that a backup is restored into. */
export function scratchVolume(name: string, tenant: string, target: Target): RestorableVolume {
  return {
    volume: name,
    namespace: drillNamespace,
    claim: name,
    tenant,
    guest: null,
    backup: { name: target.backup, url: target.url },
    sizeBytes: target.volumeSize,
    storageClass: "",
    parameters: {
      numberOfReplicas: "1",
      staleReplicaTimeout: "60",
      dataLocality: "disabled",
      fsType: target.fsType,
    },
    accessMode: "rwo",
    encrypted: false,
    dataEngine: "v1",
    isDrill: true,
  };
}

/**
 * Restores one backup into a volume of its own, and reads all of it. The caller deletes what it creates, however this ends.
 * A Failure says why it cannot be restored or read. `run` tells this drill from any other.
 */
export async function restoreAndRead(
  host: WritableHost,
  name: string,
  tenant: string,
  target: Target,
  run: string,
  patience: Patience,
): Promise<Checked> {
  const fieldManager = `kraft-drill-${run}`;
  const scratch = scratchVolume(name, tenant, target);
  const restored = await restoreVolume(host, scratch, { is: "drilled" }, { fieldManager, patience });
  if (restored.result === "refused") {
    throw new Failure(restored.message ?? "");
  }
  const path = paths.pods.named(drillNamespace, name);
  await host.apply(path, checkerPod(name, tenant, target.isDatastore, run), fieldManager);
  const result = checkerResult(await checkerEnd(host, name, patience), run, target.isDatastore);
  if ("why" in result) {
    throw new Failure(result.why);
  }
  return result;
}

async function checkerEnd(host: WritableHost, name: string, patience: Patience) {
  let last: Pod["status"];
  let simulatedSince: number | undefined;
  return waitFor(
    "reading the restored volume",
    async () => {
      const pod = await host.get(paths.pods.named(drillNamespace, name));
      if (pod === undefined) {
        throw new Failure("somebody deleted the checker's pod before it had read everything");
      }
      last = pod.status;
      const { terminated } = last?.containerStatuses?.[0]?.state ?? {};
      if (terminated !== undefined) {
        return terminated;
      }
      if (last?.phase === "Failed") {
        throw new Failure(`the checker's pod failed: ${last.message ?? last.reason ?? "no reason given"}`);
      }
      const node = pod.spec?.nodeName ?? "";
      const live = last?.phase === "Running" ? await host.get(paths.nodes.named(node)) : undefined;
      if (live?.metadata.labels?.["kraft.dev/simulated"] === "true") {
        simulatedSince ??= Date.now();
        if (Date.now() - simulatedSince > simulatedPatience) {
          throw new Failure(
            `nothing was read: node ${node} is simulated, and its pods run without a container. ` +
              "A pod without a result proves nothing",
          );
        }
      }
      return undefined;
    },
    patience,
    () => {
      const { waiting } = last?.containerStatuses?.[0]?.state ?? {};
      const why = waiting === undefined ? "" : `: ${waiting.reason ?? ""} ${waiting.message ?? ""}`.trimEnd();
      return `the checker's pod is ${last?.phase ?? "not there yet"}${why}`;
    },
  );
}
