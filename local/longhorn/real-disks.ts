import type { BucketStore } from "./bucket-store.ts";
import type { Disks, TakenSnapshot, Unrestored } from "./disks.ts";
import { type DisksClient, DisksError, type DiskState } from "./disks-client.ts";
import type { Volume } from "./objects.ts";
import { backupOfUrl, defaultTarget } from "./targets.ts";

/** Milliseconds for which it is not counted again what volumes hold: it changes all the time. */
const countedFor = 10_000;

/** How often a restore is tried before the volume is faulted. */
const attempts = 3;

/** The bucket of a backup target, by its name; undefined where it is not known. */
export type StoreNamed = (target: string) => Promise<BucketStore | undefined>;

/** A restore under way. */
interface Restoring {
  state: Unrestored | "done";
}

/** Volumes with data: ext4 file systems that the program `volume-stand-in disks` keeps. */
export class RealDisks implements Disks {
  readonly #client: DisksClient;
  readonly #storeNamed: StoreNamed;
  readonly #report: (text: string) => void;
  /** Sizes that disks were last given, in bytes. */
  readonly #sizes = new Map<string, number>();
  readonly #restores = new Map<string, Restoring>();
  #counted: { readonly at: number; readonly held: ReadonlyMap<string, number> } | undefined;

  /** @param report Is told of a restore that failed. */
  constructor(client: DisksClient, storeNamed: StoreNamed, report: (text: string) => void) {
    this.#client = client;
    this.#storeNamed = storeNamed;
    this.#report = report;
  }

  async create(volume: Volume): Promise<void> {
    await this.#ensure(volume);
  }

  async grow(volume: Volume): Promise<void> {
    const { name } = volume.metadata;
    if (this.#sizes.get(name) === Number(volume.spec.size)) {
      return;
    }
    if ((await this.#client.get(name)) === undefined) {
      throw new Error(`the disk of volume ${name} is gone: what it held is lost unless there is a backup`);
    }
    await this.#ensure(volume);
  }

  async delete(volume: string): Promise<void> {
    await this.#client.delete(volume);
    this.#sizes.delete(volume);
  }

  newSize(): number {
    return 0;
  }

  async heldBytes({ metadata }: Volume): Promise<number | undefined> {
    if (this.#counted === undefined || Date.now() - this.#counted.at > countedFor) {
      const disks = await this.#client.list();
      this.#counted = { at: Date.now(), held: new Map(disks.map(({ name, held }) => [name, held])) };
    }
    return this.#counted.held.get(metadata.name);
  }

  restore(volume: Volume, restored: string, requested: string): Promise<Unrestored | undefined> {
    if (requested === "") {
      return Promise.resolve("running");
    }
    if (restored === requested) {
      return Promise.resolve(undefined);
    }
    const key = `${volume.metadata.uid ?? ""} ${requested}`;
    const known = this.#restores.get(key);
    if (known === undefined) {
      const begun: Restoring = { state: "running" };
      this.#restores.set(key, begun);
      void this.#restore(volume, requested).then(
        () => {
          begun.state = "done";
        },
        (error: unknown) => {
          begun.state = "failed";
          this.#report(`volume ${volume.metadata.name} cannot be restored from ${requested}: ${String(error)}`);
        },
      );
      return Promise.resolve("running");
    }
    return Promise.resolve(known.state === "done" ? undefined : known.state);
  }

  snapshot({ metadata }: Volume, name: string): Promise<TakenSnapshot> {
    return this.#client.snapshot(metadata.name, name);
  }

  async deleteSnapshot(volume: string, name: string): Promise<void> {
    await this.#client.deleteSnapshot(volume, name);
  }

  backupTrouble(): undefined {
    return undefined;
  }

  /** What the disks of all volumes are. */
  states(): Promise<readonly DiskState[]> {
    return this.#client.list();
  }

  /** Makes a volume ready for nodes to mount. */
  async attach(volume: string): Promise<void> {
    await this.#client.attach(volume);
  }

  /** Takes a volume away from nodes. One without a disk has nothing to take away. */
  async detach(volume: string): Promise<void> {
    try {
      await this.#client.detach(volume);
    } catch (error) {
      if (!(error instanceof DisksError && error.status === 404)) {
        throw error;
      }
    }
  }

  async #ensure({ metadata, spec }: Volume): Promise<void> {
    const size = Number(spec.size);
    await this.#client.ensure(metadata.name, size);
    this.#sizes.set(metadata.name, size);
  }

  async #restore({ metadata, spec }: Volume, backup: string): Promise<void> {
    const { name } = metadata;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if ((await this.#client.get(name))?.restored === backup) {
          return;
        }
        const store = await this.#storeNamed(spec.backupTargetName ?? defaultTarget);
        if (store === undefined) {
          throw new Error(`the backup target ${spec.backupTargetName ?? defaultTarget} has no bucket`);
        }
        const file = await this.#client.incoming(name);
        await store.restore(backupOfUrl(spec.fromBackup ?? "").volume, backup, file);
        await this.#client.commit(name, file, backup);
        return;
      } catch (error) {
        if (attempt === attempts) {
          throw error;
        }
      }
    }
  }
}
