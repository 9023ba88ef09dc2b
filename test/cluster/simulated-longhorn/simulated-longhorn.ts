import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../../local/api.ts";
import { type BackupStore, MemoryStore } from "./backup-store.ts";
import { BackupTargets } from "./backup-targets.ts";
import type { Faults } from "./faults.ts";
import { LonghornApi } from "./longhorn-api.ts";
import type { Volume } from "./objects.ts";
import { Provisioner } from "./provisioner.ts";
import { SimulatedBackups } from "./simulated-backups.ts";
import { SimulatedVolumes } from "./simulated-volumes.ts";
import { defaultTarget } from "./targets.ts";

export interface Options {
  /** Where backups of the target `default` lie, also those of another cluster; in memory by default. */
  readonly store?: BackupStore;
  /** Where those of other BackupTargets lie, by their names. One without a store here cannot be reached. */
  readonly targets?: Readonly<Record<string, BackupStore>>;
  /** Milliseconds between two steps of every object, 100 by default. */
  readonly interval?: number;
  /** Bytes that a new volume holds; 48 MiB for all by default. */
  readonly actualSize?: (volume: Volume) => number;
}

/**
 * A SIMULATED Longhorn: a loop in the test's process that does to the objects in an API server what longhorn-manager
 * 1.12 and the CSI provisioner do, as far as Kraft sees it. The embedded cluster has Longhorn's real CRDs and nothing
 * that runs; there is no data here, no volume can be mounted, and nothing in it proves that Longhorn itself works.
 *
 * It makes volumes for claims, restores volumes from backups, lets standby volumes follow the backups of another volume,
 * takes snapshots and backups, and keeps BackupVolumes and Backups as the store of each backup target has them. Deleting a
 * Backup deletes it from the store, as Longhorn would; deleting a BackupTarget deletes nothing there. Field names and
 * states are those of longhorn-manager (k8s/pkg/apis/longhorn/v1beta2). Longhorn's webhooks are not here: what they fill
 * in, the loop fills in at its next step, and what they refuse, such as a Volume from a backup that nobody knows, stays
 * without a status.
 */
export class SimulatedLonghorn {
  readonly faults: Faults = {};
  readonly store: BackupStore;
  readonly #interval: number;
  /** In the order in which they take their steps. */
  readonly #parts: readonly { step(): Promise<void> }[];
  #running: Promise<void> | undefined;
  #stopped = false;
  #trouble: unknown;

  constructor(api: Api, options: Options = {}) {
    const longhorn = new LonghornApi(api);
    this.store = options.store ?? new MemoryStore();
    this.#interval = options.interval ?? 100;
    const targets = new BackupTargets(longhorn, { ...options.targets, [defaultTarget]: this.store });
    this.#parts = [
      new Provisioner(longhorn),
      targets,
      new SimulatedVolumes(longhorn, this.faults, options.actualSize ?? (() => 48 * 1024 ** 2)),
      new SimulatedBackups(longhorn, targets, this.faults),
    ];
  }

  start(): void {
    this.#stopped = false;
    this.#running ??= this.#run();
  }

  /** @throws what the last step failed with, if it did */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#running = undefined;
    if (this.#trouble !== undefined) {
      throw new Error("the simulated Longhorn could not do its work", { cause: this.#trouble });
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.step();
        this.#trouble = undefined;
      } catch (error) {
        // A controller tries again: the object may have gone or changed meanwhile.
        this.#trouble = error;
      }
      await sleep(this.#interval);
    }
  }

  /** One step of every object. */
  async step(): Promise<void> {
    for (const part of this.#parts) {
      await part.step();
    }
  }
}
