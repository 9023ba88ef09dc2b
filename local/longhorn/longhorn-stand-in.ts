import { setTimeout as sleep } from "node:timers/promises";

/** One of the controllers that stand in for Longhorn's. */
export interface Controller {
  /** One step of every object that it is for. */
  step(): Promise<void>;
}

/** What the loop of the controllers is told. */
export interface LoopOptions {
  /** Loops that do not wait for each other, and in each the controllers in the order in which they take their steps. */
  readonly loops: readonly (readonly Controller[])[];
  /** Milliseconds between two steps of every object. */
  readonly interval: number;
  /** Is told of a step that failed, which is tried again, and of which loop it was. */
  readonly failed?: (error: unknown, loop: number) => void;
}

/**
 * A stand-in for Longhorn's managers and its CSI controllers: a loop that does to the objects in an API server what
 * longhorn-manager 1.12, the CSI provisioner and, where disks are real, the CSI attacher and resizer do, as far as Kraft sees
 * it. Nothing in it proves that Longhorn itself works.
 *
 * It makes volumes for claims, restores volumes from backups, lets standby volumes follow the backups of another volume,
 * takes snapshots and backups, and keeps BackupVolumes and Backups as the store of each backup target has them. Deleting a
 * Backup deletes it from the store, as Longhorn would; deleting a BackupTarget deletes nothing there. Field names and
 * states are those of longhorn-manager (k8s/pkg/apis/longhorn/v1beta2). Longhorn's webhooks are not here: what they fill
 * in, the loop fills in at its next step, and what they refuse, such as a Volume from a backup that nobody knows, stays
 * without a status.
 */
export class LonghornStandIn {
  readonly #options: LoopOptions;
  /** What the last step of each loop failed with. */
  readonly #troubles: unknown[];
  #running: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#troubles = options.loops.map(() => undefined);
  }

  start(): void {
    this.#stopped = false;
    this.#running ??= Promise.all(this.#options.loops.map((controllers, index) => this.#run(controllers, index)));
  }

  /** @throws what the last step of a loop failed with, if it did */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#running = undefined;
    const trouble = this.#troubles.find((found) => found !== undefined);
    if (trouble !== undefined) {
      throw new Error("the stand-in for Longhorn could not do its work", { cause: trouble });
    }
  }

  async #run(controllers: readonly Controller[], index: number): Promise<void> {
    while (!this.#stopped) {
      try {
        // What fails in one controller does not keep the others from their steps.
        await forEachOf(controllers, (controller) => controller.step());
        this.#troubles[index] = undefined;
      } catch (error) {
        // A controller tries again: the object may have gone or changed meanwhile.
        this.#troubles[index] = error;
        this.#options.failed?.(error, index);
      }
      await sleep(this.#options.interval);
    }
  }
}

/** Does something to each, one after the other. One that fails keeps no other from its turn. @throws the first failure */
export async function forEachOf<Thing>(
  things: readonly Thing[],
  action: (thing: Thing) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const thing of things) {
    try {
      await action(thing);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) {
    throw failures[0];
  }
  if (failures.length > 1) {
    throw new AggregateError(failures, `${failures.length} of ${things.length} failed`);
  }
}
