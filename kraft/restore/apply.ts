import { setTimeout as sleep } from "node:timers/promises";
import type { WritableHost } from "../../cluster/client.ts";
import { checkPatience, classesOf, interval, liveOf, rightTarget, untilAnswered } from "./cluster.ts";
import { nextStep } from "./live.ts";
import {
  claimManifest,
  fieldManager,
  paths,
  persistentVolumeManifest,
  volumeManifest,
  type Manifest,
  type Parameters,
} from "./objects.ts";
import type { PlannedVolume, RestorePlan } from "./plan.ts";
import { bytesText } from "../cli/bytes.ts";
import { eachVolume, outcomeOf, there, type Ended, type Outcome } from "./workers.ts";

/** How a restore is done. */
export interface ApplyOptions {
  /** Copies of each volume in the end. */
  readonly replicas: number;
  /** Hears what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Brings volumes back. It creates and raises, and never deletes; where it is interrupted, the next run goes on from what
 * there is. A volume that is still there is given back to its claim. What is in the way of one volume keeps no other.
 *
 * @throws Failure before anything is touched, where the cluster cannot restore: another backup target, or no classes.
 */
export async function applyRestore(host: WritableHost, plan: RestorePlan, options: ApplyOptions): Promise<Outcome[]> {
  const remedy = "Bring the platform up first, with kraft:phase restore: pulumi up";
  await rightTarget(host, "default", plan.target, remedy);
  const classes = await classesOf(host, plan.order, remedy);
  const refusals = await refusedTenants(host, plan);
  const outcomes = new Map<string, Outcome>();
  const queue: PlannedVolume[] = [];
  for (const volume of plan.order) {
    const refusal = refusals.get(volume.tenant);
    if (refusal === undefined) {
      queue.push(volume);
    } else {
      const step = nextStep(volume, await liveOf(host, volume));
      const ended = step.step === "done" ? there : ({ result: "refused", message: refusal } as const);
      outcomes.set(volume.volume, outcomeOf(volume, ended));
    }
  }
  const worked = await eachVolume(queue, options.note, (volume, note) =>
    restoreVolume(host, volume, classes.get(volume.storageClass) ?? {}, options.replicas, note),
  );
  return plan.order.flatMap(({ volume }) => worked.get(volume) ?? outcomes.get(volume) ?? []);
}

/** Goes from step to step until the volume is back, or something is in its way. */
async function restoreVolume(
  host: WritableHost,
  volume: PlannedVolume,
  parameters: Parameters,
  replicas: number,
  note: (text: string) => void,
): Promise<Ended> {
  let changed = false;
  let begun = Date.now();
  const apply = async (manifest: Manifest): Promise<void> => {
    changed = true;
    await host.apply(manifest.path, manifest.object, fieldManager);
  };
  for (;;) {
    const next = nextStep(volume, await untilAnswered(() => liveOf(host, volume)));
    switch (next.step) {
      case "done":
        return { result: changed ? "restored" : "there", message: null };
      case "refuse":
        return { result: "refused", message: next.reason };
      case "begin":
        if ((await host.get(paths.backup(volume.backup.name))) === undefined) {
          checkPatience(begun, `Longhorn does not know the backup ${volume.backup.name}`);
          await sleep(interval);
          break;
        }
        note(`restoring ${bytesText(volume.downloadBytes)} of ${volume.backup.name}`);
        await apply(volumeManifest(volume, parameters));
        begun = Date.now();
        break;
      case "wait":
        if (next.for !== "the restore") {
          checkPatience(begun, `waited for ${next.for}`);
        } else {
          begun = Date.now();
        }
        changed = true;
        await sleep(interval);
        break;
      case "bind":
        await apply(persistentVolumeManifest(volume, parameters));
        await apply(claimManifest(volume));
        begun = Date.now();
        break;
      case "free":
        note("the volume itself is still there: its claim is made anew");
        changed = true;
        await host.merge(paths.persistentVolume(volume.volume), {
          spec: { claimRef: { uid: null, resourceVersion: null } },
        });
        begun = Date.now();
        break;
      case "claim":
        await apply(claimManifest(volume));
        begun = Date.now();
        break;
      case "finish":
        await apply(volumeManifest(volume, parameters, { replicas, size: next.size }));
        break;
    }
  }
}

/** Tenants of whom nothing may be touched, and why. */
async function refusedTenants(host: WritableHost, plan: RestorePlan): Promise<ReadonlyMap<string, string>> {
  const refused = new Map(plan.refused.map((name) => [name, "its volumes do not fit its quota"]));
  await Promise.all(
    plan.tenants.map(async ({ name, namespace }) => {
      const [live, clusters] = await Promise.all([
        host.get(paths.namespace(namespace)),
        host.list<{ readonly metadata: { readonly name: string } }>(paths.clusters(namespace)),
      ]);
      if (live === undefined) {
        refused.set(
          name,
          `namespace ${namespace} does not exist: bring the platform up first, with kraft:phase restore`,
        );
      } else if (clusters.length > 0) {
        refused.set(
          name,
          `the guest ${clusters.map(({ metadata }) => metadata.name).join(", ")} exists and may have made empty volumes already: nothing of ${name} was touched`,
        );
      }
    }),
  );
  return refused;
}
