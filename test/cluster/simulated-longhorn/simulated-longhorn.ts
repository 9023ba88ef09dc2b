import type { Api } from "../../../local/api.ts";
import type { BackupStore } from "../../../local/longhorn/backup-store.ts";
import { BackupTargets } from "../../../local/longhorn/backup-targets.ts";
import { Backups } from "../../../local/longhorn/backups.ts";
import { LonghornApi } from "../../../local/longhorn/longhorn-api.ts";
import { LonghornStandIn } from "../../../local/longhorn/longhorn-stand-in.ts";
import type { Volume } from "../../../local/longhorn/objects.ts";
import { Provisioner } from "../../../local/longhorn/provisioner.ts";
import { defaultTarget } from "../../../local/longhorn/targets.ts";
import { VolumeController } from "../../../local/longhorn/volume-controller.ts";
import type { Faults } from "./faults.ts";
import { MemoryDisks } from "./memory-disks.ts";
import { MemoryStore } from "./memory-store.ts";

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
 * A SIMULATED Longhorn: the stand-in's controllers in the test's process, over disks that hold no data. No volume can be
 * mounted. A volume is attached where a pod uses it, and `default` is read at every step; of any other target, whoever
 * waits for something new in it has to ask.
 */
export class SimulatedLonghorn extends LonghornStandIn {
  readonly faults: Faults;
  readonly store: BackupStore;

  constructor(api: Api, options: Options = {}) {
    const faults: Faults = {};
    const store = options.store ?? new MemoryStore();
    const stores: Readonly<Record<string, BackupStore>> = { ...options.targets, [defaultTarget]: store };
    const longhorn = new LonghornApi(api);
    const disks = new MemoryDisks(faults, options.actualSize ?? (() => 48 * 1024 ** 2));
    const targets = new BackupTargets(longhorn, ({ metadata }) => Promise.resolve(stores[metadata.name]), [
      defaultTarget,
    ]);
    super({
      loops: [
        [
          new Provisioner(longhorn),
          targets,
          new VolumeController(longhorn, disks, "pods"),
          new Backups(longhorn, targets, disks),
        ],
      ],
      interval: options.interval ?? 100,
    });
    this.faults = faults;
    this.store = store;
  }
}
