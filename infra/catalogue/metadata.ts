import { z } from "zod";
import { messageOf } from "../../errors/failure.ts";
import { checksumPattern } from "./layout.ts";

/** Longhorn's metadata of volumes and backups, as far as a restore needs it (longhorn/backupstore: backupstore.go). */

const bytes = z
  .string()
  .regex(/^[0-9]+$/)
  .transform(Number);

/** Go encodes a text that is marked `string` once more: `"\"kraft-standard\""`. */
const twiceEncoded = z
  .string()
  .optional()
  .transform((text = "") => (text.startsWith('"') ? String(JSON.parse(text)) : text));

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((given) => given ?? {});

/** The content of `volume.cfg`. */
const volumeSchema = z
  .object({
    Name: z.string().min(1),
    Size: bytes.refine((size) => size > 0),
    Labels: labels,
    LastBackupName: z.string().optional(),
    StorageClassName: twiceEncoded,
    DataEngine: twiceEncoded,
  })
  .transform(({ Name, Size, Labels, StorageClassName, DataEngine }) => ({
    labels: Labels,
    described: {
      volume: Name,
      sizeBytes: Size,
      storageClass: StorageClassName,
      dataEngine: DataEngine === "" ? "v1" : DataEngine,
    },
  }));

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)));

const headFields = {
  Name: z.string().min(1),
  VolumeName: z.string().min(1),
  // Empty while the backup is being made, as the other is.
  CreatedTime: z.union([z.literal(""), time]),
  SnapshotCreatedAt: z.string().optional(),
  Labels: labels,
};

/** A backup's metadata before its list of blocks, which may take megabytes. */
const headSchema = z
  .object(headFields)
  .refine((head) => head.CreatedTime === "" || time.safeParse(head.SnapshotCreatedAt).success, {
    path: ["SnapshotCreatedAt"],
  })
  .transform(({ Name, VolumeName, CreatedTime, SnapshotCreatedAt = "", Labels }) => ({
    name: Name,
    volume: VolumeName,
    labels: Labels,
    /** When its snapshot was taken, which is how old its data is. Undefined while it is being made. */
    snapshotCreated: CreatedTime === "" ? undefined : new Date(SnapshotCreatedAt),
  }));

/** A backup that was finished. */
const backupSchema = z
  .object({
    ...headFields,
    CreatedTime: time,
    SnapshotName: z.string().min(1),
    SnapshotCreatedAt: time,
    Size: bytes,
    Blocks: z
      .array(z.object({ Offset: z.int().nonnegative(), BlockChecksum: z.string().regex(checksumPattern) }))
      .nullish()
      .transform((blocks) => blocks ?? []),
  })
  .transform(({ Name, VolumeName, Labels, SnapshotCreatedAt, Size, Blocks }) => ({
    name: Name,
    volume: VolumeName,
    labels: Labels,
    snapshotCreated: new Date(SnapshotCreatedAt),
    /** Of all blocks together, uncompressed. */
    bytes: Size,
    /** One entry per block of the volume; a repeated block is listed, and downloaded, repeatedly. */
    checksums: Blocks.map(({ BlockChecksum }) => BlockChecksum),
  }));

export type VolumeMetadata = z.output<typeof volumeSchema>;
export type BackupHead = z.output<typeof headSchema>;
export type BackupMetadata = z.output<typeof backupSchema>;

/** Metadata, or as text why it cannot be used. */
export type Parsed<Metadata> = Metadata | string;

/** @param name The volume whose folder the text comes from. */
export function parseVolume(text: string, name: string): Parsed<VolumeMetadata> {
  return parsed(text, volumeSchema, ({ described: { volume } }) =>
    volume === name ? undefined : `it describes the volume ${volume}`,
  );
}

/** The head of a backup's description, from all of its text or the beginning: the list of blocks comes last. */
export function parseHead(text: string, volume: string, backup: string): Parsed<BackupHead> {
  // In a text within the JSON the quotes would have backslashes.
  const end = text.search(/,"(ProcessingBlocks|Blocks|SingleFile)":/);
  return parsed(end === -1 ? text : `${text.slice(0, end)}}`, headSchema, otherThan(volume, backup));
}

/** The whole description of a backup that was finished. */
export function parseBackup(text: string, volume: string, backup: string): Parsed<BackupMetadata> {
  return parsed(text, backupSchema, otherThan(volume, backup));
}

function otherThan(volume: string, backup: string) {
  return (found: Pick<BackupHead, "name" | "volume">): string | undefined =>
    found.name === backup && found.volume === volume
      ? undefined
      : `it describes backup ${found.name} of volume ${found.volume}`;
}

/** @param objection Why valid metadata cannot be used; undefined where it can. */
function parsed<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  objection: (metadata: z.output<Schema>) => string | undefined,
): Parsed<z.output<Schema>> {
  if (text.trim() === "") {
    return "it is empty";
  }
  try {
    const result = schema.safeParse(JSON.parse(text));
    if (result.success) {
      return objection(result.data) ?? result.data;
    }
    const keys = [...new Set(result.error.issues.map(({ path }) => String(path[0] ?? "all of it")))];
    return `it is not what Longhorn writes: ${keys.join(", ")} missing or malformed`;
  } catch (error) {
    return `it is no JSON, perhaps half written: ${messageOf(error)}`;
  }
}

/** The claim that used a volume when it was backed up. */
export interface Attachment {
  readonly namespace: string;
  readonly claim: string;
  /** When the claim was deleted; undefined while it was there. */
  readonly released: Date | undefined;
}

const kubernetesStatus = z.object({
  namespace: z.string().optional(),
  pvcName: z.string().optional(),
  lastPVCRefAt: z.string().optional(),
});

/** The claim that a label of Longhorn's names, if there is one: a backup that a system backup ordered has none. */
export function attachmentOf(given: Readonly<Record<string, string>>): Attachment | undefined {
  try {
    const status = kubernetesStatus.parse(JSON.parse(given["KubernetesStatus"] ?? "{}"));
    const { namespace = "", pvcName = "", lastPVCRefAt = "" } = status;
    const deleted = new Date(lastPVCRefAt);
    return namespace === "" || pvcName === ""
      ? undefined
      : { namespace, claim: pvcName, released: Number.isNaN(deleted.getTime()) ? undefined : deleted };
  } catch {
    // Not written by Longhorn: the volume is listed without a known claim.
    return undefined;
  }
}

/** Longhorn's access mode; its own default where a backup does not say. */
export function accessModeOf(given: Readonly<Record<string, string>>): "rwo" | "rwop" | "rwx" {
  const mode = given["longhorn.io/volume-access-mode"];
  return mode === "rwx" || mode === "rwop" ? mode : "rwo";
}

/** Whether the volume was encrypted, which Longhorn notes since 1.12. */
export function isEncrypted(given: Readonly<Record<string, string>>): boolean {
  return given["volume-encrypted"] === "enabled";
}
