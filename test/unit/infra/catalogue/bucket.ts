import { createHash } from "node:crypto";
import { type Catalogue, catalogueOf, type Depth } from "../../../../infra/catalogue/catalogue.ts";
import { layoutOf } from "../../../../infra/catalogue/layout.ts";
import type { Reader } from "../../../../infra/catalogue/store.ts";

export const place = { bucket: "kraft-backup", region: "eu-central-2", prefix: "homelab" };
export const layout = layoutOf(place.prefix);

/** What a backup in the bucket is made of. */
export interface BackupSpec {
  readonly name: string;
  /** RFC 3339, to the second as Longhorn writes it. */
  readonly created: string;
  readonly claim?: string;
  readonly namespace?: string;
  readonly lastPVCRefAt?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Contents of blocks, by which they are named. */
  readonly blocks?: readonly string[];
}

/** The checksum that Longhorn gives a block. */
export function checksum(content: string): string {
  return createHash("sha512").update(content).digest("hex").slice(0, 64);
}

export function blockKey(volume: string, content: string): string {
  const sum = checksum(content);
  return `${layout.blocksFolder(volume)}${sum.slice(0, 2)}/${sum.slice(2, 4)}/${sum}.blk`;
}

/** A bucket in memory with what Longhorn would have written, byte for byte in its order of fields, to be broken. */
export class Bucket {
  readonly objects = new Map<string, string>();

  volume(name: string, backups: readonly BackupSpec[], changes: Readonly<Record<string, unknown>> = {}): this {
    this.objects.set(
      layout.volumeKey(name),
      JSON.stringify({
        Name: name,
        Size: "1073741824",
        Labels: {},
        CreatedTime: "2026-11-01T00:00:00Z",
        LastBackupName: backups.at(-1)?.name ?? "",
        LastBackupAt: backups.at(-1)?.created ?? "",
        BlockCount: "1",
        // As Go writes a text whose tag says `string`.
        BackingImageName: '""',
        CompressionMethod: '"lz4"',
        StorageClassName: '"kraft-standard"',
        DataEngine: '"v1"',
        ...changes,
      }),
    );
    for (const backup of backups) {
      const { blocks = ["data"] } = backup;
      this.objects.set(layout.backupKey(name, backup.name), backupText(name, backup));
      for (const content of blocks) {
        this.objects.set(blockKey(name, content), content);
      }
    }
    return this;
  }

  catalogue(depth?: Depth): Promise<Catalogue> {
    return catalogueOf(this.#reader(), place, depth);
  }

  #reader(): Reader {
    const keys = () => [...this.objects.keys()];
    return {
      folders: (folder) => {
        const names = keys()
          .filter((key) => key.startsWith(folder) && key.slice(folder.length).includes("/"))
          .map((key) => key.slice(folder.length).split("/")[0] ?? "");
        return Promise.resolve([...new Set(names)]);
      },
      objects: (prefix) =>
        Promise.resolve(
          keys()
            .filter((key) => key.startsWith(prefix))
            .map((key) => ({ key, bytes: Buffer.byteLength(this.objects.get(key) ?? "") })),
        ),
      text: (key, first) => Promise.resolve(this.objects.get(key)?.slice(0, first)),
      close: () => undefined,
    };
  }
}

export function backupText(volume: string, backup: BackupSpec): string {
  const { name, created, claim, namespace = "k3k-acme", lastPVCRefAt = "", blocks = ["data"] } = backup;
  const status = { pvName: volume, pvStatus: "Bound", namespace, pvcName: claim, lastPVCRefAt, workloadsStatus: null };
  return JSON.stringify({
    Name: name,
    VolumeName: volume,
    SnapshotName: `snapshot-of-${name}`,
    SnapshotCreatedAt: created,
    CreatedTime: created,
    Size: String(blocks.length * 2 * 1024 * 1024),
    Labels: { ...(claim === undefined ? {} : { KubernetesStatus: JSON.stringify(status) }), ...backup.labels },
    Parameters: null,
    IsIncremental: false,
    CompressionMethod: "lz4",
    NewlyUploadedDataSize: "0",
    ReUploadedDataSize: "0",
    ProcessingBlocks: null,
    Blocks: blocks.map((content, index) => ({ Offset: index * 2 * 1024 * 1024, BlockChecksum: checksum(content) })),
    SingleFile: { FilePath: "" },
  });
}

/** What an unfinished backup leaves: Longhorn writes this first. */
export function unfinished(volume: string, name: string): string {
  return JSON.stringify({
    Name: name,
    VolumeName: volume,
    SnapshotName: "",
    SnapshotCreatedAt: "",
    CreatedTime: "",
    Size: "0",
    Labels: null,
    Parameters: null,
    CompressionMethod: "lz4",
    ProcessingBlocks: null,
    SingleFile: { FilePath: "" },
  });
}
