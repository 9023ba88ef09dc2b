import type { Disks, TakenSnapshot, Unrestored } from "../../../local/longhorn/disks.ts";
import type { Backup, Volume } from "../../../local/longhorn/objects.ts";
import { now } from "../../../local/longhorn/time.ts";
import type { Faults } from "./faults.ts";

/** Volumes without data, for tests of size: everything is done at once, unless a fault says otherwise. */
export class MemoryDisks implements Disks {
  readonly #faults: Faults;
  readonly #newSize: (volume: Volume) => number;

  /** @param newSize Bytes that a new volume holds. */
  constructor(faults: Faults, newSize: (volume: Volume) => number) {
    this.#faults = faults;
    this.#newSize = newSize;
  }

  create(): Promise<void> {
    return Promise.resolve();
  }

  grow(): Promise<void> {
    return Promise.resolve();
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  newSize(volume: Volume): number {
    return this.#newSize(volume);
  }

  heldBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  restore(volume: Volume, restored: string): Promise<Unrestored | undefined> {
    const fault = restored === "" ? this.#faults.restore?.(volume) : this.#faults.follow?.(volume);
    return Promise.resolve(fault === undefined ? undefined : fault === "faulted" ? "failed" : "running");
  }

  snapshot({ status }: Volume): Promise<TakenSnapshot> {
    return Promise.resolve({ createdAt: now(), size: status?.actualSize ?? 0 });
  }

  deleteSnapshot(): Promise<void> {
    return Promise.resolve();
  }

  backupTrouble(backup: Backup, volume: string): string | undefined {
    return this.#faults.backup?.(backup, volume);
  }
}
