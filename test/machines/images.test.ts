import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { machinePackages } from "../../local/home/debian-packages.ts";
import { file, type Image, type Layer, textFile, writeImageArchive } from "../../local/images/archive.ts";
import { copyStore, importedStore } from "../../local/images/store.ts";
import { asRoot } from "../../local/root.ts";
import { silentReporter } from "../../local/terminal.ts";
import { debianRoot } from "../../local/toolchain/debian.ts";
import { withContainerd } from "./lab/containerd.ts";

// The containerd of the home's machines reads what local/images/ writes.
const work = mkdtempSync(join(tmpdir(), "kraft-containerd-"));
const nodes = ["node-1", "node-2"].map((name) => join(work, name));
const blobs = "io.containerd.content.v1.content/blobs/sha256";
const database = "io.containerd.metadata.v1.bolt/meta.db";
let root: string;

before(async () => {
  root = await debianRoot({ packages: machinePackages, purpose: "the machines" });
  const base: Layer = [textFile("/etc/motd", "below"), { kind: "folder", path: "/data", mode: 0o700, user: 1000 }];
  const images: readonly Image[] = [
    {
      references: ["docker.io/library/shell:1", "example.org/shell:1"],
      layers: [
        base,
        [file("/bin/busybox", join(root, "bin/busybox")), { kind: "link", path: "/bin/sh", target: "busybox" }],
      ],
    },
    { references: ["example.org/other:2"], layers: [base, [textFile("/etc/motd", "above")]] },
  ];
  const folder = join(work, "images");
  mkdirSync(folder);
  const archive = join(folder, "images.tar");
  await writeImageArchive(archive, images);
  const store = await importedStore({ archive, fingerprint: "" }, root, silentReporter);
  for (const node of nodes) {
    copyStore(store, "images of this test", node);
  }
});

after(() => {
  asRoot(["rm", "-rf", work], "What this test made must be removed");
});

/** What commands print where the containerd of a node runs. */
function inNode(node: string, commands: string): string {
  return withContainerd({ root, node, work }, commands);
}

for (const [index, node] of nodes.entries()) {
  test(`node ${index + 1} has every image under each of its names, unpacked`, () => {
    const lines = inNode(node, "ctr images check | grep -v ^sha256").trim().split("\n").slice(1);
    assert.deepEqual(
      lines.map((line) => line.split(/\s+/)).map(([name, , , status, ...rest]) => [name, status, rest.at(-1)]),
      ["docker.io/library/shell:1", "example.org/other:2", "example.org/shell:1"].map((name) => [
        name,
        "complete",
        "true",
      ]),
    );
  });
}

test("an image's upper layers lie above its lower ones, with owners, modes and links", () => {
  const [node = ""] = nodes;
  // Unmounted with its snapshot: a second mount of the same folder would show the first image again.
  const shown = (image: string, command: string): string =>
    inNode(
      node,
      `ctr images mount ${image} /tmp/mounted >/dev/null; ${command}; ctr images unmount --rm /tmp/mounted >/dev/null`,
    ).trim();
  assert.equal(shown("example.org/other:2", "cat /tmp/mounted/etc/motd"), "above");
  assert.equal(
    shown("example.org/shell:1", 'cat /tmp/mounted/etc/motd; stat -c " %a %u" /tmp/mounted/data'),
    "below 700 1000",
  );
  assert.equal(shown("docker.io/library/shell:1", 'chroot /tmp/mounted /bin/sh -c "echo runs"'), "runs");
});

test("nodes share the files of images, and nothing that containerd writes", () => {
  const inode = (node: string, path: string): number => statSync(join(node, path)).ino;
  const [one = "", two = ""] = nodes;
  for (const blob of readdirSync(join(one, blobs))) {
    assert.equal(inode(one, join(blobs, blob)), inode(two, join(blobs, blob)));
  }
  assert.notEqual(inode(one, database), inode(two, database));
});
