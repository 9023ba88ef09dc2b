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

/** A backup that is whole, and what a restore of it downloads. */
interface Usable {
  readonly backup: BackupMetadata;
  readonly downloadBytes: number | null;
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
  const dated: { readonly file: BackupFile; readonly created: Date }[] = [];
  for (const file of backups) {
    if (!file.head.ok) {
      damaged.push(`backup ${file.name} cannot be read: ${file.head.why} (${file.key})`);
    } else if (file.head.metadata.snapshotCreated === undefined) {
      notes.push(`backup ${file.name} was never finished, or is being made: it does not count (${file.key})`);
    } else {
      dated.push({ file, created: file.head.metadata.snapshotCreated });
    }
  }
  dated.sort((a, b) => b.created.getTime() - a.created.getTime() || (a.file.name < b.file.name ? -1 : 1));
  // A backup that a system backup ordered does not say whose it is; another of the same volume does.
  const heads = dated.flatMap(({ file: { head } }) => (head.ok ? [head.metadata] : []));
  const attachment = [...heads, ...(metadata?.ok === true ? [metadata.metadata] : [])]
    .map(({ labels }) => attachmentOf(labels))
    .find((found) => found !== undefined);
  const report = { volume, attachment, damaged, notes };
  if (metadata?.ok !== true) {
    const what = metadata === undefined ? "is missing" : `cannot be used: ${metadata.why}`;
    damaged.push(
      `its volume.cfg ${what}, without which Longhorn restores none of its ${backups.length} backups (${files.key}); ` +
        "bring back an earlier version of that object",
    );
    return report;
  }
  let usable: Usable | undefined;
  for (const { file } of dated) {
    const judged = await judge(volume, file, files.blocks);
    if (typeof judged !== "string") {
      usable = judged;
      break;
    }
    damaged.push(judged);
  }
  if (usable === undefined) {
    if (damaged.length === 0) {
      notes.push("it has no finished backup");
    } else {
      damaged.push("none of its backups can be used");
    }
    return report;
  }
  if (damaged.length > 0) {
    damaged.push(`it comes back from backup ${usable.backup.name} of ${usable.backup.snapshotCreated.toISOString()}`);
  }
  const own = attachmentOf(usable.backup.labels) ?? attachment;
  return {
    ...report,
    attachment: own,
    candidate: { attachment: own, volume: volumeOf(files, metadata.metadata, usable) },
  };
}

/** The backup, or why it cannot be used. */
async function judge(volume: string, file: BackupFile, blocks: VolumeFiles["blocks"]): Promise<Usable | string> {
  const parsed = parseBackup(await file.text(), volume, file.name);
  if (!parsed.ok) {
    return `backup ${file.name} cannot be read: ${parsed.why} (${file.key})`;
  }
  const backup = parsed.metadata;
  if (blocks === undefined) {
    return { backup, downloadBytes: null };
  }
  // Nothing to list for a volume that nobody has written to.
  const sizes: BlockSizes = backup.checksums.length === 0 ? new Map() : await blocks();
  const missing = new Set(backup.checksums.filter((checksum) => (sizes.get(checksum) ?? 0) === 0));
  if (missing.size > 0) {
    const [first = ""] = missing;
    return `backup ${file.name} lacks ${missing.size} of its blocks, the first is ${first} (${file.key})`;
  }
  const downloadBytes = backup.checksums.reduce((total, checksum) => total + (sizes.get(checksum) ?? 0), 0);
  return { backup, downloadBytes };
}

function volumeOf(
  files: VolumeFiles,
  metadata: VolumeMetadata,
  { backup, downloadBytes }: Usable,
): Candidate["volume"] {
  return {
    volume: metadata.name,
    sizeBytes: metadata.sizeBytes,
    storageClass: metadata.storageClass,
    accessMode: accessModeOf(backup.labels),
    encrypted: isEncrypted(backup.labels) || isEncrypted(metadata.labels),
    dataEngine: metadata.dataEngine,
    backup: {
      name: backup.name,
      created: backup.snapshotCreated.toISOString(),
      url: backupUrl(files.target, metadata.name, backup.name),
      bytes: backup.bytes,
      downloadBytes,
    },
    backups: files.backups.length,
  };
}
