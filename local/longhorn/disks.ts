import type { Backup, Volume } from "./objects.ts";

/** Why a volume does not hold what a backup has: it is still being restored, or that failed. */
export type Unrestored = "running" | "failed";

/** A snapshot that was taken. */
export interface TakenSnapshot {
  /** RFC 3339. */
  readonly createdAt: string;
  /** Bytes that it holds. */
  readonly size: number;
}

/**
 * What volumes are made of. Every call may be made again, with the same outcome: whoever calls does not remember what was
 * done before it was last started.
 */
export interface Disks {
  /** Makes the empty disk of a new volume. */
  create(volume: Volume): Promise<void>;
  /** Enlarges the disk of a volume to its `spec.size`. @throws Error where there is none: one that was lost is not made anew */
  grow(volume: Volume): Promise<void>;
  /** Takes a disk away with its snapshots. @throws Error while a node uses it */
  delete(volume: string): Promise<void>;
  /** Bytes that a volume holds when it is new. */
  newSize(volume: Volume): number;
  /** Bytes that a volume holds now; undefined where only what its status says already is known. */
  heldBytes(volume: Volume): Promise<number | undefined>;
  /**
   * Restores a volume, in the background where that takes time.
   *
   * @param restored The backup that it holds; empty where it holds none.
   * @param requested The backup that it is to hold; empty where that is not known yet.
   * @returns undefined once it holds what was requested
   */
  restore(volume: Volume, restored: string, requested: string): Promise<Unrestored | undefined>;
  /** Takes a snapshot, unless there is one of this name. */
  snapshot(volume: Volume, name: string): Promise<TakenSnapshot>;
  deleteSnapshot(volume: string, name: string): Promise<void>;
  /** Why a backup cannot be made, as Longhorn says it; undefined where it can. */
  backupTrouble(backup: Backup, volume: string): string | undefined;
}
