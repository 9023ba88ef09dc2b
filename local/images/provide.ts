import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import { cacheDirectory } from "../cache.ts";
import { k3kVersion } from "../charts.ts";
import { announceWait, withLock } from "../lock.ts";
import { asRoot } from "../root.ts";
import type { Reporter } from "../terminal.ts";
import { debianPackage } from "../toolchain/debian.ts";
import { toolPath, type Tools } from "../toolchain/ready.ts";
import { file, writeImageArchive } from "./archive.ts";
import { type ImageInputs, platformImages } from "./images.ts";
import type { ImageSource } from "./source.ts";
import { takePublishedImages } from "./upstream.ts";

/** The images of a platform, ready to be imported by containerd. */
export interface ProvidedImages {
  /** One file with all of them, in a folder of its own. */
  readonly archive: string;
  /** Two archives with the same one hold the same images. */
  readonly fingerprint: string;
}

/** How many archives stay in the cache, of half a gigabyte or more each: those of two stacks, before and after a change. */
const kept = 3;

/**
 * The archive of all images of the platform, in the cache that all checkouts share; written now if it is not there.
 *
 * @param source Whether they are made here, or taken from where they are published.
 * @param unbuilt Names of the programs that are in published images only, and were not built where these are taken.
 * @param authorities certificates, in PEM, of the authorities that programs in pods trust on the internet
 * @throws Failure that names every published image that cannot be had.
 */
export async function provideImages({
  tools,
  guestVersions,
  source,
  unbuilt,
  authorities,
  reporter,
}: {
  readonly tools: Tools;
  readonly guestVersions: readonly string[];
  readonly source: ImageSource;
  readonly unbuilt: readonly string[];
  readonly authorities: string;
  readonly reporter: Reporter;
}): Promise<ProvidedImages> {
  const all = platformImages({
    guestVersions,
    k3kVersion,
    program: (name) => tools.get(name)?.path ?? (unbuilt.includes(name) ? "not built" : undefined),
    busybox: await busybox(),
    authorities,
  });
  const published = source.kind === "upstream" ? all.filter((image) => image.published) : [];
  const made = all.filter((image) => !published.includes(image));
  // A published image is known by its name, and by where it is taken from: its version is never another one.
  const tool = tools.get("upstream-images")?.path;
  const names = published.map(({ references, trusts }) => ({ references, trusts, source, authorities, tool }));
  const fingerprint = fingerprintOf([...made, ...names]);
  const parent = join(cacheDirectory(), "images");
  const folder = join(parent, fingerprint);
  const archive = join(folder, "images.tar");
  if (!existsSync(archive)) {
    mkdirSync(parent, { recursive: true });
    await withLock(`${folder}.lock`, announceWait(reporter, "is writing images for another checkout"), async () => {
      if (existsSync(archive)) {
        return;
      }
      const taken = `${folder}.taken`;
      if (source.kind === "upstream") {
        await takePublishedImages({
          images: published,
          authorities,
          registry: source.registry,
          folder: taken,
          tool: toolPath(tools, "upstream-images"),
          reporter,
        });
      }
      const work = `${folder}.writing`;
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work);
      try {
        reporter.progress(`writing ${all.length} images`);
        await writeImageArchive(join(work, "images.tar"), made, source.kind === "upstream" ? taken : undefined);
        renameSync(work, folder);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
      rmSync(taken, { recursive: true, force: true });
      reporter.line(`wrote ${all.length} images, ${Math.round(statSync(archive).size / 1e6)} MB`);
    });
  }
  const now = new Date();
  utimesSync(folder, now, now);
  removeOldest(parent);
  return { archive, fingerprint };
}

/** Removes the archives that have not been used for the longest time. One that a machine reads right now stays open there. */
function removeOldest(parent: string): void {
  const folders = readdirSync(parent)
    .filter((name) => /^[0-9a-f]{16}$/.test(name))
    .map((name) => ({ path: join(parent, name), used: statSync(join(parent, name)).mtimeMs }))
    .sort((one, other) => other.used - one.used);
  for (const { path } of folders.slice(kept)) {
    // What containerd imported belongs to root: see store.ts.
    asRoot(["rm", "-rf", path], "Old images must be removed");
  }
}

/** Identifies images by what they are made of: a program by its path in the cache, its size and its time. */
function fingerprintOf(images: readonly unknown[]): string {
  const hash = createHash("sha256").update(process.arch);
  const withPrograms = JSON.stringify(images, (key, value: unknown) => {
    if (key !== "file" || typeof value !== "string") {
      return value;
    }
    const { size, mtimeMs } = statSync(value);
    return [value, size, mtimeMs];
  });
  return hash.update(withPrograms).digest("hex").slice(0, 16);
}

/** What busybox loads, in Debian's package of the C library. */
const libraries = /^\/(?:lib|lib64)\/(?:[\w-]+\/)?(?:ld-linux[\w.-]*|libc\.so\.6|libresolv\.so\.2)$/;

/** Debian's busybox with its libraries: the static one ends with a segmentation fault when it looks a name up. */
async function busybox(): Promise<ImageInputs["busybox"]> {
  const path = join(await debianPackage("busybox"), "bin", "busybox");
  const result = spawnSync(path, ["--list"], { encoding: "utf8" });
  if (result.status !== 0) {
    throw new Failure(`${path} does not run: ${result.error?.message ?? result.stderr}`);
  }
  const system = await debianPackage("libc6");
  const loaded = readdirSync(system, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const from = join(entry.parentPath, entry.name);
    const target = from.slice(system.length);
    if (!libraries.test(target)) {
      return [];
    }
    return [
      entry.isSymbolicLink() ? { kind: "link" as const, path: target, target: readlinkSync(from) } : file(target, from),
    ];
  });
  return { files: [file("/bin/busybox", path), ...loaded], applets: result.stdout.trim().split("\n") };
}
