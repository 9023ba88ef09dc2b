import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { file, type Image, type Layer, textFile, writeImageArchive } from "../../../../local/images/archive.ts";

const work = mkdtempSync(join(tmpdir(), "kraft-images-"));
after(() => {
  rmSync(work, { recursive: true });
});

const program = join(work, "program");
// Not a multiple of a block, and larger than one piece that is read at a time.
writeFileSync(program, Buffer.alloc(3 * 1024 * 1024 + 7, "x"));

const base: Layer = [
  { kind: "folder", path: "/tmp", mode: 0o1777 },
  { kind: "folder", path: "/data", mode: 0o750, user: 1000 },
  textFile("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
];
const images: readonly Image[] = [
  {
    references: ["docker.io/library/one:1", "example.org/one:1"],
    layers: [base, [file("/usr/bin/one", program), { kind: "link", path: "/usr/bin/uno", target: "one" }]],
    entrypoint: ["/usr/bin/one"],
    user: "1000:1000",
  },
  { references: ["docker.io/library/two:1"], layers: [base], command: ["sh"], environment: { HOME: "/data" } },
];

function unpack(archive: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync("tar", ["-xf", archive, "-C", folder, "--no-same-owner", "-p"], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return folder;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a descriptor refers to, after its digest and size were compared. */
function blob(layout: string, { digest, size }: Descriptor): string {
  const path = join(layout, "blobs/sha256", digest.replace("sha256:", ""));
  const bytes = readFileSync(path);
  assert.equal(bytes.length, size);
  assert.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`, digest);
  return path;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

test("an archive has every image under each of its names, and a layer that several share once", async () => {
  const archive = join(work, "images.tar");
  await writeImageArchive(archive, images);
  const layout = unpack(archive, join(work, "layout"));
  assert.deepEqual(json(join(layout, "oci-layout")), { imageLayoutVersion: "1.0.0" });
  const { manifests } = json(join(layout, "index.json")) as { readonly manifests: readonly Descriptor[] };
  assert.deepEqual(
    manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"]),
    ["docker.io/library/one:1", "example.org/one:1", "docker.io/library/two:1"],
  );
  const [one, , two] = manifests.map((manifest) => json(blob(layout, manifest)) as Manifest);
  assert.ok(one && two);
  // Two manifests, two configurations, two layers.
  assert.equal(readdirSync(join(layout, "blobs/sha256")).length, 6);
  assert.deepEqual(one.layers[0], two.layers[0]);

  const config = json(blob(layout, one.config)) as {
    readonly config: unknown;
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  assert.deepEqual(config.config, {
    Entrypoint: ["/usr/bin/one"],
    User: "1000:1000",
    Env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
  });
  // Not compressed, so a layer's digest is that of its content.
  assert.deepEqual(
    config.rootfs.diff_ids,
    one.layers.map(({ digest }) => digest),
  );

  const root = join(work, "root");
  for (const layer of one.layers) {
    unpack(blob(layout, layer), root);
  }
  assert.deepEqual(readFileSync(join(root, "usr/bin/one")), readFileSync(program));
  assert.equal(statSync(join(root, "usr/bin/one")).mode & 0o7777, 0o755);
  assert.equal(readlinkSync(join(root, "usr/bin/uno")), "one");
  assert.equal(statSync(join(root, "tmp")).mode & 0o7777, 0o1777);
  assert.equal(statSync(join(root, "usr")).mode & 0o7777, 0o755);
  assert.equal(readFileSync(join(root, "etc/passwd"), "utf8"), "root:x:0:0:root:/root:/bin/sh\n");
  const [first] = one.layers;
  assert.ok(first);
  const listed = spawnSync("tar", ["-tvf", blob(layout, first), "--numeric-owner"], { encoding: "utf8" }).stdout;
  assert.match(listed, /^drwxr-x--- 1000\/1000 +0 1970-01-01 00:00 data\/$/m);
});

test("the same images give the same bytes", async () => {
  const paths = ["first.tar", "second.tar"].map((name) => join(work, name));
  for (const path of paths) {
    await writeImageArchive(path, images);
  }
  const [first = "", second = ""] = paths;
  assert.ok(readFileSync(first).equals(readFileSync(second)));
});

test("two images of one name are refused", async () => {
  await assert.rejects(
    writeImageArchive(join(work, "twice.tar"), [...images, { references: ["example.org/one:1"], layers: [] }]),
    /Two images are called example\.org\/one:1\./,
  );
});

test("a path that tar's plain format cannot hold is refused instead of cut off", async () => {
  const path = `/${"long/".repeat(25)}file`;
  await assert.rejects(
    writeImageArchive(join(work, "long.tar"), [{ references: ["a:1"], layers: [[textFile(path, "")]] }]),
    /is too long for an image: a path may have 100 bytes/,
  );
});
