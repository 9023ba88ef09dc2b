import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { Failure } from "../../errors/failure.ts";

/** Something in the file system of an image. Its owner is root unless a user is named, its folders are made for it. */
export type ImageEntry = { readonly path: string } & (
  | {
      readonly kind: "file";
      readonly from: { readonly file: string } | { readonly text: string };
      readonly mode: number;
    }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder"; readonly mode: number; readonly user?: number }
);

/** A layer of an image. Images that have the same layer share it. */
export type Layer = readonly ImageEntry[];

/** A container image, for the processor of this machine. */
export interface Image {
  /** The names under which it is found, with registry and tag. */
  readonly references: readonly string[];
  /** From the lowest to the highest. */
  readonly layers: readonly Layer[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** `user` or `user:group`, as numbers: only so can the kubelet tell that it is not root. Default: root. */
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const block = 512;

/** An octal number as a tar header has it, ended by a zero byte. */
function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}

/** The header of one entry of a tar file in POSIX' ustar format. Of time nothing is told: the same files give the same bytes. */
function header(entry: {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly type: "0" | "2" | "5";
  readonly target?: string;
  readonly user?: number;
}): Buffer {
  const { path, mode, size, type, target = "", user = 0 } = entry;
  if (Buffer.byteLength(path) > 100 || Buffer.byteLength(target) > 100) {
    throw new Failure(`${path} is too long for an image: a path may have 100 bytes.`);
  }
  const bytes = Buffer.alloc(block);
  bytes.write(path, 0);
  bytes.write(octal(mode, 8) + octal(user, 8) + octal(user, 8) + octal(size, 12) + octal(0, 12), 100);
  bytes.write(" ".repeat(8) + type, 148);
  bytes.write(target, 157);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

/** What follows content of `size` bytes up to the next block. */
function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** Two empty blocks end a tar file. */
const end = Buffer.alloc(2 * block);

/** The folders above a path that no entry of the layer declares, the outermost first. */
function withFolders(layer: Layer): ImageEntry[] {
  const declared = new Set(layer.map(({ path }) => path));
  const entries: ImageEntry[] = [];
  for (const entry of layer) {
    const names = entry.path.split("/").slice(1, -1);
    for (const [index] of names.entries()) {
      const path = `/${names.slice(0, index + 1).join("/")}`;
      if (!declared.has(path)) {
        declared.add(path);
        entries.push({ kind: "folder", path, mode: 0o755 });
      }
    }
    entries.push(entry);
  }
  return entries;
}

/** A layer as a tar file, piece by piece: a program of 100 MB is never in memory as a whole. */
async function* layerTar(layer: Layer): AsyncGenerator<Buffer> {
  for (const entry of withFolders(layer)) {
    const path = entry.path.replace(/^\//, "");
    if (entry.kind === "folder") {
      yield header({ path: `${path}/`, mode: entry.mode, size: 0, type: "5", user: entry.user });
    } else if (entry.kind === "link") {
      yield header({ path, mode: 0o777, size: 0, type: "2", target: entry.target });
    } else if ("text" in entry.from) {
      const text = Buffer.from(entry.from.text);
      yield header({ path, mode: entry.mode, size: text.length, type: "0" });
      yield text;
      yield padding(text.length);
    } else {
      const { size } = statSync(entry.from.file);
      yield header({ path, mode: entry.mode, size, type: "0" });
      let read = 0;
      for await (const piece of createReadStream(entry.from.file, {
        highWaterMark: 1024 * 1024,
      }) as AsyncIterable<Buffer>) {
        read += piece.length;
        yield piece;
      }
      if (read !== size) {
        throw new Failure(`${entry.from.file} has changed while an image was made of it. Run the command again.`);
      }
      yield padding(size);
    }
  }
  yield end;
}

/** Content that others refer to by its digest. */
interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly content: () => AsyncIterable<Buffer> | Iterable<Buffer>;
}

function blobOf(value: unknown): Blob {
  const text = Buffer.from(JSON.stringify(value));
  return { digest: createHash("sha256").update(text).digest("hex"), size: text.length, content: () => [text] };
}

async function layerBlob(layer: Layer): Promise<Blob> {
  const hash: Hash = createHash("sha256");
  let size = 0;
  for await (const piece of layerTar(layer)) {
    hash.update(piece);
    size += piece.length;
  }
  return { digest: hash.digest("hex"), size, content: () => layerTar(layer) };
}

function descriptor(mediaType: string, { digest, size }: Blob) {
  return { mediaType, digest: `sha256:${digest}`, size };
}

/** The processor, as Go and with it all images call it. */
const architecture = process.arch === "x64" ? "amd64" : process.arch;

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** The annotation by which containerd finds the name of an image that it imports. */
const containerdName = "io.containerd.image.name";

/** A manifest in the index of a layout. */
interface IndexEntry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The images of a folder in the same layout: their entries in the index, and all that these refer to. */
function imagesOfFolder(folder: string): {
  readonly manifests: readonly IndexEntry[];
  readonly blobs: readonly Blob[];
} {
  const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
    readonly manifests: readonly IndexEntry[];
  };
  const content = join(folder, "blobs", "sha256");
  const blobs = readdirSync(content)
    // Others are parts of what an interrupted run has taken.
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((digest) => {
      const path = join(content, digest);
      return { digest, size: statSync(path).size, content: () => createReadStream(path) as AsyncIterable<Buffer> };
    });
  return { manifests, blobs };
}

/**
 * Writes images into one file in the layout of the Open Container Initiative (image-spec 1.0), packed with tar, which
 * `ctr images import` of containerd reads. Layers are not compressed: they are read again at once, on this machine.
 *
 * The same images give the same bytes. Memory stays small, since layers are read twice: first for their digest.
 *
 * @param published A folder in the same layout with more images, under containerd's names.
 * @throws Failure if two images have the same name, or a file changes meanwhile.
 */
export async function writeImageArchive(target: string, images: readonly Image[], published?: string): Promise<void> {
  const others = published === undefined ? { manifests: [], blobs: [] } : imagesOfFolder(published);
  const names = [
    ...images.flatMap(({ references }) => references),
    ...others.manifests.flatMap(({ annotations }) => annotations?.[containerdName] ?? []),
  ];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Failure(`Two images are called ${twice}.`);
  }
  const layers = new Map<Layer, Blob>();
  const blobs = new Map(others.blobs.map((blob) => [blob.digest, blob]));
  const manifests: IndexEntry[] = [...others.manifests];
  for (const image of images) {
    for (const layer of image.layers) {
      const blob = layers.get(layer) ?? (await layerBlob(layer));
      layers.set(layer, blob);
      blobs.set(blob.digest, blob);
    }
    const own = image.layers.flatMap((layer) => layers.get(layer) ?? []);
    const config = blobOf({
      architecture,
      os: "linux",
      config: {
        Entrypoint: image.entrypoint,
        Cmd: image.command,
        User: image.user,
        Env: Object.entries({ PATH: "/usr/local/bin:/usr/bin:/bin", ...image.environment }).map(
          ([name, value]) => `${name}=${value}`,
        ),
      },
      rootfs: { type: "layers", diff_ids: own.map(({ digest }) => `sha256:${digest}`) },
    });
    const manifest = blobOf({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: own.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar", layer)),
    });
    blobs.set(config.digest, config).set(manifest.digest, manifest);
    for (const reference of image.references) {
      const annotations = { [containerdName]: reference };
      manifests.push({ ...descriptor(manifestType, manifest), annotations });
    }
  }
  const files: (readonly [string, Blob])[] = [
    ["oci-layout", blobOf({ imageLayoutVersion: "1.0.0" })],
    ["index.json", blobOf({ schemaVersion: 2, manifests })],
    ...[...blobs.values()].map((blob) => [`blobs/sha256/${blob.digest}`, blob] as const),
  ];
  const output = createWriteStream(target);
  const write = async (bytes: Buffer): Promise<void> => {
    if (!output.write(bytes)) {
      await once(output, "drain");
    }
  };
  try {
    for (const [path, { size, content }] of files) {
      await write(header({ path, mode: 0o644, size, type: "0" }));
      for await (const piece of content()) {
        await write(piece);
      }
      await write(padding(size));
    }
    await write(end);
    output.end();
    await finished(output);
  } catch (problem) {
    output.destroy();
    throw problem;
  }
}

/** A program or another file of this machine. */
export function file(path: string, from: string, mode = 0o755): ImageEntry {
  return { kind: "file", path, from: { file: from }, mode };
}

/** A file with this text. */
export function textFile(path: string, text: string, mode = 0o644): ImageEntry {
  return { kind: "file", path, from: { text }, mode };
}
