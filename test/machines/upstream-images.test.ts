import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { machinePackages } from "../../local/home/debian-packages.ts";
import { file, type Image, type Layer, textFile, writeImageArchive } from "../../local/images/archive.ts";
import { trustFile } from "../../local/images/images.ts";
import { copyStore, importedStore } from "../../local/images/store.ts";
import { takePublishedImages } from "../../local/images/upstream.ts";
import { asRoot } from "../../local/root.ts";
import { freePorts } from "../../local/state.ts";
import { silentReporter } from "../../local/terminal.ts";
import { debianRoot } from "../../local/toolchain/debian.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { type Registry, startRegistry } from "../fixtures/registry.ts";
import { withContainerd } from "./lab/containerd.ts";

// The whole way of `--images upstream`: from a registry, here one on the loopback address, into the containerd of a node.
const work = mkdtempSync(join(tmpdir(), "kraft-upstream-"));
const base: Layer = [textFile("/etc/motd", "below"), textFile(trustFile, "authorities of the world")];
const shell: Image = { references: ["docker.io/library/shell:1"], layers: [base, [textFile("/etc/motd", "above")]] };
const caller: Image = { references: ["quay.io/project/caller:v2"], layers: [base] };
const ours: Image = { references: ["kraft.local/ours:1"], layers: [[textFile("/etc/motd", "ours")]] };
const orders = [
  { references: shell.references, trusts: false },
  { references: caller.references, trusts: true },
];
let root: string;
let tool: string;
let registry: Registry;

before(async () => {
  root = await debianRoot({ packages: machinePackages, purpose: "the machines" });
  const tools = await readyTools(silentReporter, ["images", "registry"]);
  tool = toolPath(tools, "upstream-images");
  registry = await startRegistry(toolPath(tools, "registry"), join(work, "registry"));
  const busybox = [file("/bin/busybox", join(root, "bin/busybox"))];
  await registry.publish([{ ...shell, layers: [...shell.layers, busybox] }, caller]);
});

after(async () => {
  await registry.stop();
  asRoot(["rm", "-rf", work], "What this test made must be removed");
});

/** Takes images from the registry into a folder. */
function take(folder: string, images: typeof orders, host = registry.host): Promise<void> {
  return takePublishedImages({
    images,
    authorities: "authorities of the home",
    registry: host,
    folder: join(work, folder),
    tool,
    reporter: silentReporter,
  });
}

test("a node has published images beside ours, under the names that pods ask for, unpacked", async () => {
  await take("taken", orders);
  const folder = join(work, "images");
  mkdirSync(folder);
  const archive = join(folder, "images.tar");
  await writeImageArchive(archive, [ours], join(work, "taken"));
  const node = join(work, "node");
  copyStore(await importedStore({ archive, fingerprint: "" }, root, silentReporter), "images of this test", node);

  const lines = withContainerd({ root, node, work }, "ctr images check | grep -v ^sha256").trim().split("\n").slice(1);
  assert.deepEqual(
    lines.map((line) => line.split(/\s+/)).map(([name, , , status, ...rest]) => [name, status, rest.at(-1)]),
    ["docker.io/library/shell:1", "kraft.local/ours:1", "quay.io/project/caller:v2"].map((name) => [
      name,
      "complete",
      "true",
    ]),
  );
  // Unmounted with its snapshot: a second mount of the same folder would show the first image again.
  const shown = (image: string, path: string): string =>
    withContainerd(
      { root, node, work },
      `ctr images mount ${image} /tmp/mounted >/dev/null; cat /tmp/mounted${path}; ctr images unmount --rm /tmp/mounted >/dev/null`,
    );
  assert.equal(shown("docker.io/library/shell:1", "/etc/motd"), "above");
  assert.equal(shown("docker.io/library/shell:1", trustFile), "authorities of the world");
  assert.equal(shown("quay.io/project/caller:v2", trustFile), "authorities of the home");
  // Whoever runs in it need not be root.
  const [mode] = withContainerd(
    { root, node, work },
    `ctr images mount quay.io/project/caller:v2 /tmp/mounted >/dev/null; stat -c %a /tmp/mounted${trustFile}; ctr images unmount --rm /tmp/mounted >/dev/null`,
  ).split("\n");
  assert.equal(mode, "644");
  assert.equal(shown("kraft.local/ours:1", "/etc/motd"), "ours");
});

test("images that cannot be had are named, all of them, and nothing of theirs is there", async () => {
  const missing = ["docker.io/library/gone:1", "registry.k8s.io/gone:v2"];
  await assert.rejects(
    take("missing", [...orders, ...missing.map((name) => ({ references: [name], trusts: false }))]),
    ({ message }: Error) => {
      assert.match(message, /^2 of 4 published images cannot be had, so nothing was started:\n/);
      for (const name of missing) {
        assert.match(message, new RegExp(`^  ${name}\n    .*MANIFEST_UNKNOWN|^  ${name}\n    .*NAME_UNKNOWN`, "m"));
      }
      assert.doesNotMatch(message, /caller|shell/);
      assert.match(message, /npm run local -- --images built$/);
      return true;
    },
  );
});

test("what was taken before an interruption is not asked for again, and an index that it cut off is made anew", async () => {
  const index = join(work, "again/index.json");
  const [first] = orders;
  assert.ok(first);
  await take("again", [first]);
  const asked = registry.requests().length;
  await take("again", orders);
  const more = registry
    .requests()
    .slice(asked)
    .filter((request) => request.includes("/manifests/"));
  assert.ok(more.length > 0 && more.every((request) => request.includes("/project/caller/")), more.join("\n"));
  const whole = readFileSync(index, "utf8");
  assert.equal((JSON.parse(whole) as { readonly manifests: readonly unknown[] }).manifests.length, orders.length);

  const blobs = readdirSync(join(work, "again/blobs/sha256")).sort();
  writeFileSync(index, whole.slice(0, whole.length / 2));
  await take("again", orders);
  assert.deepEqual(JSON.parse(readFileSync(index, "utf8")), JSON.parse(whole));
  assert.deepEqual(readdirSync(join(work, "again/blobs/sha256")).sort(), blobs);
});

test("a registry that does not answer is told of with every image that it should have", async () => {
  const [closed = 0] = await freePorts(1);
  await assert.rejects(take("unreachable", orders, `127.0.0.1:${closed}`), ({ message }: Error) => {
    assert.match(message, /^2 of 2 published images/);
    for (const { references } of orders) {
      assert.match(message, new RegExp(`^  ${references.join()}\n    .*connection refused`, "m"));
    }
    return true;
  });
});

test("the program that takes them refuses a list that it cannot read", () => {
  const { status, stderr } = spawnSync(tool, [`--into=${join(work, "refused")}`], {
    input: "no list",
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /^upstream-images: invalid character/);
});
