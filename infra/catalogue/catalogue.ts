import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { attach, type CatalogueMessage, type CatalogueVolume, compare, owner } from "./attach.ts";
import { backupOfKey, checksumOfKey, type Layout, layoutOf } from "./layout.ts";
import { parseHead, parseVolume } from "./metadata.ts";
import { type BackupFile, type BlockSizes, newestUsable, type VolumeReport } from "./newest-backup.ts";
import { type BackupStore, type Listed, openStore, type Reader } from "./store.ts";

export type { CatalogueBackup, CatalogueMessage, CatalogueVolume } from "./attach.ts";
export type { BackupStore } from "./store.ts";

/** What a backup target holds. */
export interface Catalogue {
  /** `s3://bucket@region/prefix/`. */
  readonly target: string;
  /** Sorted by namespace and claim. */
  readonly volumes: readonly CatalogueVolume[];
  /** Broken backups. A volume that is in `volumes` as well is restored from an older backup. */
  readonly damaged: readonly CatalogueMessage[];
  /** Volumes with a backup and without a claim to give them to. */
  readonly unattached: readonly CatalogueMessage[];
  /** Backups that were never finished, which is no fault. */
  readonly notes: readonly CatalogueMessage[];
}

/** How closely the bucket is looked at. */
export interface Depth {
  /** Whether to check that every chosen backup's blocks exist: for a terabyte in blocks of 2 MiB, some 500 requests. */
  readonly blocks?: boolean;
  /** Milliseconds that the server has for each answer. Default: 30 s. */
  readonly requestTimeout?: number;
}

/** Bytes of a backup's description that hold all but its list of blocks. */
const headBytes = 64 * 1024;

/**
 * Lists what a backup target holds from the bucket itself: no cluster is needed, nothing is written. Broken metadata of
 * one volume does not hide another. Throws a Failure where the bucket cannot be read.
 */
export async function readCatalogue(store: BackupStore, depth: Depth = {}): Promise<Catalogue> {
  const reader = await openStore(store, depth.requestTimeout);
  try {
    return await catalogueOf(reader, store, depth);
  } finally {
    reader.close();
  }
}

/** As `readCatalogue`, with any reader. */
export async function catalogueOf(
  reader: Reader,
  store: Pick<BackupStore, "bucket" | "prefix" | "region">,
  { blocks = true }: Depth = {},
): Promise<Catalogue> {
  const layout = layoutOf(store.prefix);
  const target = backupTargetUrl(store);
  const folders = await volumeFolders(reader, layout);
  const reports = await Promise.all(
    folders.map(async ({ volume, folder }): Promise<VolumeReport> =>
      folder === layout.folder(volume)
        ? newestUsable(volume, await readVolume(reader, layout, volume, target, blocks))
        : {
            volume,
            attachment: undefined,
            damaged: [`${folder} is where Longhorn does not look: it belongs in ${layout.folder(volume)}`],
            notes: [],
          },
    ),
  );
  const messages = (list: "damaged" | "notes") =>
    reports
      .flatMap(({ volume, attachment, ...report }) =>
        report[list].map((message) => ({ volume, ...owner(attachment), message })),
      )
      .sort((a, b) => compare(a.volume, b.volume));
  return {
    target,
    ...attach(reports.flatMap(({ candidate }) => (candidate === undefined ? [] : [candidate]))),
    damaged: messages("damaged"),
    notes: messages("notes"),
  };
}

/** Longhorn spreads volumes over two levels of folders; below the second they have their names. */
async function volumeFolders(
  reader: Reader,
  layout: Layout,
): Promise<readonly { readonly volume: string; readonly folder: string }[]> {
  const within = async (folder: string) => (await reader.folders(folder)).map((name) => `${folder}${name}/`);
  const below = async (folders: readonly string[]) => (await Promise.all(folders.map(within))).flat();
  const found = await below(await below(await below([layout.volumes])));
  return found.map((folder) => ({ volume: folder.split("/").at(-2) ?? "", folder }));
}

/** One volume's files, for `newestUsable`. */
async function readVolume(reader: Reader, layout: Layout, volume: string, target: string, blocks: boolean) {
  const [text, listed] = await Promise.all([
    reader.text(layout.volumeKey(volume)),
    reader.objects(layout.backupsFolder(volume)),
  ]);
  const files = listed.flatMap((object) => {
    const name = backupOfKey(object.key);
    return name === undefined ? [] : [{ name, object }];
  });
  return {
    key: layout.volumeKey(volume),
    metadata: text === undefined ? undefined : parseVolume(text, volume),
    target,
    backups: (await Promise.all(files.map(({ name, object }) => readHead(reader, volume, name, object)))).flat(),
    blocks: blocks ? blockSizes(reader, layout, volume) : undefined,
  };
}

/** None where the backup was deleted after it was listed. */
async function readHead(reader: Reader, volume: string, name: string, { key, bytes }: Listed): Promise<BackupFile[]> {
  const whole = bytes <= headBytes;
  const text = bytes === 0 ? "" : await reader.text(key, whole ? undefined : headBytes);
  const all = async () => (whole ? text : await reader.text(key)) ?? "";
  return text === undefined ? [] : [{ key, name, head: parseHead(text, volume, name), text: all }];
}

const hexadecimal = Array.from({ length: 16 }, (_, digit) => digit.toString(16));

/** Lists a volume's blocks, once and only if somebody asks, in sixteen lists side by side: pages of one come one by one. */
function blockSizes(reader: Reader, layout: Layout, volume: string): () => Promise<BlockSizes> {
  let sizes: Promise<BlockSizes> | undefined;
  const list = async (): Promise<BlockSizes> => {
    const folder = layout.blocksFolder(volume);
    const parts = await Promise.all(hexadecimal.map((digit) => reader.objects(`${folder}${digit}`)));
    return new Map(
      parts.flat().flatMap(({ key, bytes }) => {
        const checksum = checksumOfKey(key);
        return checksum === undefined ? [] : [[checksum, bytes] as const];
      }),
    );
  };
  return () => (sizes ??= list());
}
