// Backups with real bytes, and the drill that reads them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tenant, tool } from "./home.ts";
import { page } from "./shop.ts";

test("every volume of the tenant is backed up", async () => {
  const { code, stdout, stderr } = await tool("backup", tenant, "--timeout", "3", "--json");
  assert.equal(code, 0, `${stdout}\n${stderr}`);
});

test("the drill restores both and reads them: the guest's datastore, and the file of the shop", async () => {
  const { code, stdout, stderr } = await tool("drill", tenant, "--timeout", "3", "--json");
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const { ok, volumes, unchecked } = JSON.parse(stdout) as {
    readonly ok: boolean;
    readonly unchecked: readonly unknown[];
    readonly volumes: readonly { ok: boolean; files: number; bytes: number; datastore: string }[];
  };
  assert.deepEqual([ok, unchecked, volumes.map(({ ok: read }) => read)], [true, [], [true, true]]);
  assert.deepEqual(volumes.map(({ datastore }) => datastore).sort(), ["etcd", "none"]);
  const shop = volumes.find(({ datastore }) => datastore === "none");
  assert.deepEqual([shop?.files, shop?.bytes], [1, page.length]);
});

test("status has nothing to say against it, and finds every guest's pods on the host", async () => {
  for (const more of [[], ["--guests"]]) {
    const { code, stdout } = await tool("status", "local", ...more);
    assert.equal(code, 0, stdout);
  }
});
