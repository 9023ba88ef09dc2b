import { createHash } from "node:crypto";

/** Names that Longhorn accepts (longhorn/backupstore: `ValidateName` in util/util.go). */
export const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Hexadecimal digits of a SHA-512 that name a block. */
export const checksumPattern = /^[0-9a-f]{64}$/;

/** Keys and folders of a backup target. */
export type Layout = ReturnType<typeof layoutOf>;

/**
 * The keys under which Longhorn stores backups, below the prefix of a backup target, which has no slashes around it
 * (longhorn/backupstore: config.go and util.go). It finds a volume by the digest of its name, and ignores a folder that
 * is elsewhere.
 */
export function layoutOf(prefix: string) {
  const volumes = `${prefix}/backupstore/volumes/`;
  const folder = (volume: string): string => {
    const digest = createHash("sha512").update(volume).digest("hex");
    return `${volumes}${digest.slice(0, 2)}/${digest.slice(2, 4)}/${volume}/`;
  };
  return {
    /** Folder of all volumes, with its slash. */
    volumes,
    folder,
    volumeKey: (volume: string) => `${folder(volume)}volume.cfg`,
    backupsFolder: (volume: string) => `${folder(volume)}backups/`,
    backupKey: (volume: string, backup: string) => `${folder(volume)}backups/backup_${backup}.cfg`,
    blocksFolder: (volume: string) => `${folder(volume)}blocks/`,
  };
}

/** The name of the backup whose description an object is; undefined for any other object. */
export function backupOfKey(key: string): string | undefined {
  const name = /\/backup_([^/]+)\.cfg$/.exec(key)?.[1];
  return name !== undefined && namePattern.test(name) ? name : undefined;
}

/** The checksum of the block that an object is; undefined for any other object. */
export function checksumOfKey(key: string): string | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const checksum = name.endsWith(".blk") ? name.slice(0, -".blk".length) : "";
  return checksumPattern.test(checksum) ? checksum : undefined;
}

/** A backup as Longhorn names it in `status.url` of its Backup (longhorn/backupstore: `EncodeBackupURL`). */
export function backupUrl(target: string, volume: string, backup: string): string {
  return `${target}?backup=${encodeURIComponent(backup)}&volume=${encodeURIComponent(volume)}`;
}
