import type { Candidate } from "./attach.ts";
import { backupUrl } from "./layout.ts";
import {
  accessModeOf,
  type Attachment,
  attachmentOf,
  type BackupHead,
  type BackupMetadata,
  isEncrypted,
  parseBackup,
  type Parsed,
  type VolumeMetadata,
} from "./metadata.ts";

/** Bytes of each block that a volume has in the bucket, by its checksum. */
export type BlockSizes = ReadonlyMap<string, number>;

/** One backup's description in the bucket. */
export interface BackupFile {
  readonly key: string;
  readonly name: string;
  readonly head: Parsed<BackupHead>;
  /** All of it. */
  text(): Promise<string>;
}

/** The files of one volume in the bucket. */
export interface VolumeFiles {
  /** Key of its `volume.cfg`. */
  readonly key: string;
  /** Undefined where there is no such object. */
  readonly metadata: Parsed<VolumeMetadata> | undefined;
  /** `s3://bucket@region/prefix/`. */
  readonly target: string;
  readonly backups: readonly BackupFile[];
  /** Undefined where blocks are not looked at. */
  readonly blocks: (() => Promise<BlockSizes>) | undefined;
}

/** The findings about one volume. */
export interface VolumeReport {
  readonly volume: string;
  /** Undefined where its owner is unknown. */
  readonly attachment: Attachment | undefined;
  /** Undefined where nothing can be restored. */
  readonly candidate?: Candidate;
  readonly damaged: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The newest complete backup of a volume, by the age of its snapshot, which each backup states and which Longhorn uses as
 * well. `LastBackupName` of `volume.cfg` can be stale after an interrupted deletion, and a copied bucket does not keep the
 * dates of its objects (`getLatestBackup` in its deltablock.go).
 */
export async function newestUsable(volume: string, files: VolumeFiles): Promise<VolumeReport> {
  const { metadata, backups } = files;
  const damaged: string[] = [];
  const notes: string[] = [];
  const dated: { readonly file: BackupFile; readonly labels: BackupHead["labels"]; readonly created: Date }[] = [];
  for (const file of backups) {
    const { name, key, head } = file;
    if (typeof head === "string") {
      damaged.push(`backup ${name} cannot be read: ${head} (${key})`);
    } else if (head.snapshotCreated === undefined) {
      notes.push(`backup ${name} was never finished, or is being made: it does not count (${key})`);
    } else {
      dated.push({ file, labels: head.labels, created: head.snapshotCreated });
    }
  }
  dated.sort((a, b) => b.created.getTime() - a.created.getTime() || (a.file.name < b.file.name ? -1 : 1));
  const isReadable = metadata !== undefined && typeof metadata !== "string";
  // A backup that a system backup ordered does not say whose it is; another of the same volume does.
  const attachment = [...dated, ...(isReadable ? [metadata] : [])]
    .map(({ labels }) => attachmentOf(labels))
    .find((found) => found !== undefined);
  const report = { volume, attachment, damaged, notes };
  if (!isReadable) {
    damaged.push(
      `its volume.cfg ${metadata === undefined ? "is missing" : `cannot be used: ${metadata}`}, without which Longhorn ` +
        `restores none of its ${backups.length} backups (${files.key}); bring back an earlier version of that object`,
    );
    return report;
  }
  for (const { file } of dated) {
    const usable = await usableBackup(volume, file, files.blocks);
    if (typeof usable === "string") {
      damaged.push(usable);
      continue;
    }
    const { name, labels, snapshotCreated, bytes, downloadBytes } = usable;
    const created = snapshotCreated.toISOString();
    if (damaged.length > 0) {
      damaged.push(`it comes back from backup ${name} of ${created}`);
    }
    const own = attachmentOf(labels) ?? attachment;
    const restorable: Candidate["volume"] = {
      ...metadata.described,
      accessMode: accessModeOf(labels),
      encrypted: isEncrypted(labels) || isEncrypted(metadata.labels),
      backup: { name, created, url: backupUrl(files.target, volume, name), bytes, downloadBytes },
      backups: backups.length,
    };
    return { ...report, attachment: own, candidate: { attachment: own, volume: restorable } };
  }
  if (damaged.length === 0) {
    notes.push("it has no finished backup");
  } else {
    damaged.push("none of its backups can be used");
  }
  return report;
}

/** The backup and what a restore of it downloads, or why it cannot be used. */
async function usableBackup(
  volume: string,
  file: BackupFile,
  blocks: VolumeFiles["blocks"],
): Promise<(BackupMetadata & { readonly downloadBytes: number | null }) | string> {
  const backup = parseBackup(await file.text(), volume, file.name);
  if (typeof backup === "string") {
    return `backup ${file.name} cannot be read: ${backup} (${file.key})`;
  }
  if (blocks === undefined) {
    return { ...backup, downloadBytes: null };
  }
  // Nothing to list for a volume that nobody has written to.
  const sizes: BlockSizes = backup.checksums.length === 0 ? new Map() : await blocks();
  const missing = new Set(backup.checksums.filter((checksum) => (sizes.get(checksum) ?? 0) === 0));
  if (missing.size > 0) {
    const [first = ""] = missing;
    return `backup ${file.name} lacks ${missing.size} of its blocks, the first is ${first} (${file.key})`;
  }
  return {
    ...backup,
    downloadBytes: backup.checksums.reduce((total, checksum) => total + (sizes.get(checksum) ?? 0), 0),
  };
}
