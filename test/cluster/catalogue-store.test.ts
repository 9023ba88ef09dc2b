import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { layoutOf } from "../../infra/catalogue/layout.ts";
import { newS3Keys, s3Client } from "../../local/s3.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, type Tools } from "../../local/toolchain/ready.ts";
import { backupsOf, type BackupStore, daily, tenantVolume, writeBackups } from "../fixtures/backup-store.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";
import { CatalogueStore } from "./simulated-longhorn/catalogue-store.ts";

const nights = daily(3, new Date("2026-11-24T00:45:00Z"));
const volume = tenantVolume("acme", { name: "data-db-0", namespace: "shop" }, nights.slice(0, 1), {
  size: 64 * 1024 ** 2,
});
const [first = "", second = "", third = ""] = backupsOf(volume.name, nights).map(({ name }) => name);

const directory = mkdtempSync(join(tmpdir(), "kraft-catalogue-store-"));
const options = { ...newS3Keys(), directory, region: "eu-central-2", bucket: "kraft-test" };
let tools: Tools;
let server: S3Server;
let place: BackupStore;

before(async () => {
  tools = await readyTools(terminalReporter(), ["storage"]);
  server = await startS3({ ...options, tools });
  place = { ...options, endpoint: server.endpoint, prefix: "old" };
  await write(1);
});

after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

/** The first backups of the volume, written as the cluster would that owns it. */
async function write(count: number): Promise<void> {
  await writeBackups(tools, place, [{ ...volume, backups: backupsOf(volume.name, nights.slice(0, count)) }]);
}

async function names(store: CatalogueStore): Promise<string[]> {
  return (await store.list()).map(({ name }) => name).sort();
}

test("a bucket that somebody writes into is read anew where that is asked for; what was seen stays while it is there", async () => {
  const once = new CatalogueStore(place);
  const anew = new CatalogueStore(place, { anew: true });
  assert.deepEqual([await names(once), await names(anew)], [[first], [first]]);
  await write(2);
  assert.deepEqual([await names(once), await names(anew)], [[first], [first, second].sort()]);
  assert.deepEqual(await names(new CatalogueStore(place, { anew: true })), [second]);

  await write(3);
  assert.deepEqual(await names(anew), [first, second, third].sort());
  const client = s3Client(place);
  const Key = layoutOf(place.prefix).backupKey(volume.name, first);
  await client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key }));
  client.destroy();
  assert.deepEqual(await names(anew), [second, third].sort());
});

test("nothing is written into it or deleted from it", async () => {
  const store = new CatalogueStore(place, { anew: true });
  const [backup] = await store.list();
  assert.ok(backup !== undefined);
  await assert.rejects(store.put(backup), /was made to a store that is only read/);
  await assert.rejects(store.remove(backup), /was deleted from a store that is only read/);
});
