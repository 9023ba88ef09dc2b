import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Failure } from "../../errors/failure.ts";
import { readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { layoutOf } from "../../infra/catalogue/layout.ts";
import { newS3Keys, s3Client } from "../../local/s3.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { type BackupStore, daily, datastoreVolume, tenantVolume, writeBackups } from "../fixtures/backup-store.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";

const newest = new Date("2026-11-24T00:45:00Z");
const mebibyte = 1024 ** 2;
const small = { size: 64 * mebibyte };
const store = datastoreVolume("acme", daily(3, newest), small);
const data = tenantVolume("acme", { name: "data-db-0", namespace: "shop" }, daily(2, newest), {
  ...small,
  storageClass: "kraft-bulk",
  accessMode: "rwx",
  compression: "gzip",
});
const silent = {
  ...tenantVolume("blue", { name: "data", namespace: "default" }, daily(1, newest), small),
  kubernetesStatus: null,
};

const directory = mkdtempSync(join(tmpdir(), "kraft-catalogue-"));
const keys = newS3Keys();
const options = { ...keys, directory, region: "eu-central-2", bucket: "kraft-test" };
let server: S3Server;
let place: BackupStore;

before(async () => {
  const tools = await readyTools(terminalReporter(), ["storage"]);
  server = await startS3({ ...options, tools });
  place = { ...options, endpoint: server.endpoint, prefix: "homelab" };
  for (const prefix of ["homelab", "broken"]) {
    await writeBackups(tools, { ...place, prefix }, [store, data, silent]);
  }
});

after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

/** Changes objects of the bucket; undefined deletes one. */
async function put(objects: Readonly<Record<string, string | undefined>>): Promise<void> {
  const client = s3Client(place);
  try {
    const entries = Object.entries(objects);
    while (entries.length > 0) {
      await Promise.all(
        entries
          .splice(0, 50)
          .map(([Key, Body]) =>
            Body === undefined
              ? client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key }))
              : client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body })),
          ),
      );
    }
  } finally {
    client.destroy();
  }
}

test("what Longhorn's own library wrote is read, from the bucket alone", async () => {
  const { target, volumes, damaged, unattached, notes } = await readCatalogue(place);
  assert.equal(target, "s3://kraft-test@eu-central-2/homelab/");
  assert.deepEqual([damaged, notes], [[], []]);
  assert.deepEqual(
    volumes.map(({ volume, namespace, claim, sizeBytes, storageClass, accessMode, dataEngine, backup, backups }) => ({
      volume,
      namespace,
      claim,
      sizeBytes,
      storageClass,
      accessMode,
      dataEngine,
      backups,
      created: backup.created,
      bytes: backup.bytes,
      url: backup.url,
    })),
    [data, store].map((volume) => ({
      volume: volume.name,
      namespace: "k3k-acme",
      claim: volume.kubernetesStatus?.pvcName,
      sizeBytes: volume.size,
      storageClass: volume.storageClass,
      accessMode: volume.accessMode,
      dataEngine: "v1",
      backups: volume.backups.length,
      created: newest.toISOString(),
      // The first backup wrote three blocks; each that follows adds one.
      bytes: (2 + volume.backups.length) * 2 * mebibyte,
      url: `s3://kraft-test@eu-central-2/homelab/?backup=${volume.backups.at(-1)?.name ?? ""}&volume=${volume.name}`,
    })),
  );
  assert.ok(volumes.every(({ backup }) => (backup.downloadBytes ?? 0) > 0 && (backup.downloadBytes ?? 0) < mebibyte));
  assert.deepEqual(
    unattached.map(({ volume }) => volume),
    [silent.name],
  );
});

test("broken metadata in the bucket: each volume for itself, and the backup before where there is one", async () => {
  const layout = layoutOf("broken");
  const [first, second, third] = store.backups.map(({ name }) => layout.backupKey(store.name, name));
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  await put({ [third]: '{"Name":"backup-', [second]: "", [layout.volumeKey(silent.name)]: undefined });
  const { volumes, damaged } = await readCatalogue({ ...place, prefix: "broken" });
  assert.deepEqual(
    volumes.map(({ volume, backup }) => [volume, backup.name]),
    [
      [data.name, data.backups.at(-1)?.name],
      [store.name, store.backups[0]?.name],
    ],
  );
  const messages = damaged.map(({ volume, message }) => `${volume}: ${message}`).join("\n");
  assert.match(messages, new RegExp(`${store.name}: backup .* cannot be read: it is no JSON, perhaps half written`));
  assert.match(messages, new RegExp(`${store.name}: backup .* cannot be read: it is empty \\(${second}\\)`));
  assert.match(messages, new RegExp(`${silent.name}: its volume\\.cfg is missing`));

  await put({ [first]: undefined });
  const after = await readCatalogue({ ...place, prefix: "broken" });
  assert.deepEqual(
    after.volumes.map(({ volume }) => volume),
    [data.name],
  );
});

test("a block that is missing among more than a page of them is noticed", async () => {
  const layout = layoutOf("homelab");
  const folder = `${layout.blocksFolder(data.name)}00/00/`;
  // All of them begin alike, so that one list has more than one page.
  const names = Array.from({ length: 1100 }, (_, index) => `0000${index.toString(16).padStart(60, "0")}`);
  await put(Object.fromEntries(names.map((name) => [`${folder}${name}.blk`, "x"])));
  assert.deepEqual((await readCatalogue(place)).damaged, []);

  const [newestOfData] = data.backups.slice(-1);
  const key = layout.backupKey(data.name, newestOfData?.name ?? "");
  const client = s3Client(place);
  const { GetObjectCommand } = await import("@aws-sdk/client-s3");
  const { Body } = await client.send(new GetObjectCommand({ Bucket: place.bucket, Key: key }));
  const { Blocks } = JSON.parse((await Body?.transformToString()) ?? "") as { Blocks: { BlockChecksum: string }[] };
  client.destroy();
  const lost = Blocks.at(-1)?.BlockChecksum ?? "";
  await put({ [`${layout.blocksFolder(data.name)}${lost.slice(0, 2)}/${lost.slice(2, 4)}/${lost}.blk`]: undefined });
  const { volumes, damaged } = await readCatalogue(place);
  assert.match(damaged[0]?.message ?? "", new RegExp(`lacks 1 of its blocks, the first is ${lost}`));
  assert.equal(volumes.find(({ volume }) => volume === data.name)?.backup.name, data.backups[0]?.name);
  // A look at the names alone does not see it.
  assert.deepEqual((await readCatalogue(place, { blocks: false })).damaged, []);
});

test("a prefix that nothing was ever written to is empty", async () => {
  assert.deepEqual((await readCatalogue({ ...place, prefix: "nothing" })).volumes, []);
});

test("a bucket that is not there, a key that is refused, a server that is not there: what to do about it", async () => {
  for (const [change, message] of [
    [
      { bucket: "kraft-other" },
      /^the bucket kraft-other at http:\/\/127.* does not exist\n {2}Correct kraft:backup\.bucket/,
    ],
    [{ secretAccessKey: "wrong" }, /^the bucket kraft-test at .* refuses the key: SignatureDoesNotMatch: /],
    [
      { accessKeyId: "NOBODY" },
      /^the bucket kraft-test at .* refuses the key: (InvalidAccessKeyId|XAdminUserNotFound): /,
    ],
    [
      { endpoint: "http://127.0.0.1:9" },
      /^the bucket kraft-test at http:\/\/127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED/,
    ],
  ] as const) {
    await assert.rejects(readCatalogue({ ...place, ...change }), (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, message);
      assert.ok(!error.message.includes(place.secretAccessKey));
      return true;
    });
  }
});

test("a server that takes every call and answers none does not hold anybody up", { timeout: 60_000 }, async () => {
  const silence = createServer();
  await new Promise<void>((done) => silence.listen(0, "127.0.0.1", done));
  const { port } = silence.address() as AddressInfo;
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await assert.rejects(
      readCatalogue({ ...place, endpoint }, { requestTimeout: 200 }),
      (error: unknown) => error instanceof Failure && error.message.includes("cannot be reached"),
    );
  } finally {
    silence.close();
  }
});
