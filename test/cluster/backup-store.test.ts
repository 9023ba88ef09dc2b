import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { newS3Keys, s3Client } from "../../local/s3.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, type Tools } from "../../local/toolchain/ready.ts";
import {
  type BackupStore,
  contentDigest,
  daily,
  datastoreVolume,
  restoreBackup,
  tenantVolume,
  writeBackups,
} from "../fixtures/backup-store.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";

const days = daily(3, new Date("2026-02-03T00:45:00Z"));
const mebibyte = 1024 ** 2;
const datastore = datastoreVolume("acme", days.slice(0, 2), { size: 64 * mebibyte });
const data = tenantVolume("acme", { name: "data-db-0", namespace: "shop" }, days.slice(0, 1), {
  compression: "gzip",
  storageClass: "kraft-bulk",
  accessMode: "rwx",
});

const directory = mkdtempSync(join(tmpdir(), "kraft-backup-store-"));
const keys = newS3Keys();
const options = { ...keys, directory, region: "eu-central-2", bucket: "kraft-test" };
let tools: Tools;
let server: S3Server;
let store: BackupStore;

before(async () => {
  tools = await readyTools(terminalReporter(), ["storage"]);
  server = await startS3({ ...options, tools });
  store = { ...options, endpoint: server.endpoint, prefix: "homelab" };
  await writeBackups(tools, store, [datastore, data]);
});

after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

async function withClient<Result>(action: (client: S3Client) => Promise<Result>): Promise<Result> {
  const client = s3Client(store);
  try {
    return await action(client);
  } finally {
    client.destroy();
  }
}

async function objects(): Promise<string[]> {
  const { Contents = [] } = await withClient((client) =>
    client.send(new ListObjectsV2Command({ Bucket: store.bucket })),
  );
  return Contents.map(({ Key = "" }) => Key);
}

function object(key: string): Promise<Uint8Array | undefined> {
  return withClient(async (client) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: store.bucket, Key: key }));
    return Body?.transformToByteArray();
  });
}

async function configuration(key: string): Promise<Record<string, unknown>> {
  return JSON.parse(Buffer.from((await object(key)) ?? []).toString()) as Record<string, unknown>;
}

/** Where Longhorn keeps a volume: below two levels of the digest of its name. */
function folder(volume: string): string {
  const digest = createHash("sha512").update(volume).digest("hex");
  return `homelab/backupstore/volumes/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${volume}`;
}

/** Where Longhorn keeps a block: below two levels of the digest of its content, whose first half is its name. */
function blockFile(volume: string, snapshot: string, block: number): string {
  const content = Buffer.alloc(2 * mebibyte, `${volume} ${snapshot} ${block}\n`);
  const name = createHash("sha512").update(content).digest("hex").slice(0, 64);
  return `${folder(volume)}/blocks/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}.blk`;
}

test("the store has the layout of Longhorn's, with every block once and no lock left", async () => {
  const expected = [datastore, data].flatMap(({ name, backups }) => [
    `${folder(name)}/volume.cfg`,
    ...backups.flatMap((backup) => [
      `${folder(name)}/backups/backup_${backup.name}.cfg`,
      ...backup.blocks.map((block) => blockFile(name, backup.snapshot, block)),
    ]),
  ]);
  assert.equal(expected.length, 2 + 3 + 3 + 2 + 3);
  assert.deepEqual(await objects(), expected.sort());
});

test("volume.cfg and backup_*.cfg say what a restore is planned from", async () => {
  const volume = await configuration(`${folder(datastore.name)}/volume.cfg`);
  const [first, last] = datastore.backups;
  const labels = volume["Labels"] as Readonly<Record<string, string>>;
  assert.deepEqual(
    { ...volume, Labels: undefined },
    {
      Name: datastore.name,
      Size: "67108864",
      Labels: undefined,
      CreatedTime: days[0],
      LastBackupName: last?.name,
      LastBackupAt: days[1],
      BlockCount: "5",
      BackingImageName: '""',
      BackingImageChecksum: '""',
      CompressionMethod: '"lz4"',
      StorageClassName: '"kraft-standard"',
      DataEngine: '"v1"',
    },
  );
  const backup = await configuration(`${folder(datastore.name)}/backups/backup_${last?.name ?? ""}.cfg`);
  assert.deepEqual(backup["Labels"], labels);
  assert.equal(labels["longhorn.io/volume-access-mode"], "rwo");
  assert.deepEqual(JSON.parse(labels["KubernetesStatus"] ?? ""), {
    pvName: datastore.name,
    pvStatus: "Bound",
    namespace: "k3k-acme",
    pvcName: "varlibrancherk3s-k3k-acme-server-0",
    lastPVCRefAt: "",
    workloadsStatus: [
      {
        podName: "k3k-acme-server-0",
        podStatus: "Running",
        workloadName: "k3k-acme-server",
        workloadType: "StatefulSet",
      },
    ],
    lastPodRefAt: "",
  });
  const { Name, VolumeName, SnapshotName, SnapshotCreatedAt, CreatedTime, Size, IsIncremental, CompressionMethod } =
    backup;
  assert.deepEqual(
    { Name, VolumeName, SnapshotName, SnapshotCreatedAt, CreatedTime, Size, IsIncremental, CompressionMethod },
    {
      Name: last?.name,
      VolumeName: datastore.name,
      SnapshotName: last?.snapshot,
      SnapshotCreatedAt: days[1],
      CreatedTime: days[1],
      // Four blocks: of three that the first wrote, the second wrote one anew and one more.
      Size: String(4 * 2 * mebibyte),
      IsIncremental: true,
      CompressionMethod: "lz4",
    },
  );
  assert.equal(
    (await configuration(`${folder(datastore.name)}/backups/backup_${first?.name ?? ""}.cfg`))["Size"],
    "6291456",
  );
});

test("each backup gives back what the volume held then", async () => {
  const none = restoreBackup(tools, store, datastore.name, "backup-none");
  const [restored] = await Promise.all([
    Promise.all(datastore.backups.map(({ name }) => restoreBackup(tools, store, datastore.name, name))),
    assert.rejects(none, /cannot find .*backup_backup-none\.cfg/),
  ]);
  assert.deepEqual(
    restored,
    datastore.backups.map(({ name }) => ({
      volume: datastore.name,
      backup: name,
      size: datastore.size,
      sha256: contentDigest(datastore, name),
    })),
  );
  assert.notEqual(restored[0]?.sha256, restored[1]?.sha256);
});

test("one more backup uploads only what was written since; what is there already is left alone", async () => {
  const present = await objects();
  const longer = datastoreVolume("acme", days, { size: datastore.size });
  assert.deepEqual(longer.backups.slice(0, 2), datastore.backups);
  const made = await writeBackups(tools, store, [longer, data]);
  const added = longer.backups[2];
  assert.deepEqual(
    made.map(({ uploaded, ...backup }) => ({ ...backup, some: uploaded > 0 })),
    [{ volume: longer.name, backup: added?.name, incremental: true, some: true }],
  );
  const expected = [
    `${folder(longer.name)}/backups/backup_${added?.name ?? ""}.cfg`,
    ...(added?.blocks ?? []).map((block) => blockFile(longer.name, added?.snapshot ?? "", block)),
  ];
  assert.deepEqual(await objects(), [...present, ...expected].sort());
  const restored = await restoreBackup(tools, store, longer.name, added?.name ?? "");
  assert.equal(restored.sha256, contentDigest(longer, added?.name ?? ""));
  assert.deepEqual(await writeBackups(tools, store, [longer, data]), []);
});

test("what is deleted is still there as a version, and a server that starts again under another key serves it", async () => {
  const before = await objects();
  const key = before.find((name) => name.endsWith(".blk")) ?? "";
  const content = await object(key);
  await withClient((client) => client.send(new DeleteObjectCommand({ Bucket: store.bucket, Key: key })));
  assert.deepEqual(
    await objects(),
    before.filter((name) => name !== key),
  );

  await server.stop();
  const rotated = newS3Keys();
  server = await startS3({ ...options, ...rotated, tools, port: Number(new URL(server.endpoint).port) });
  await assert.rejects(objects(), /No user exists with the provided access key ID/);
  store = { ...store, ...rotated };
  const { Versions = [], DeleteMarkers = [] } = await withClient((client) =>
    client.send(new ListObjectVersionsCommand({ Bucket: store.bucket, Prefix: key })),
  );
  assert.equal(Versions.length, 1);
  const VersionId = DeleteMarkers[0]?.VersionId;
  assert.ok(VersionId);
  await withClient((client) => client.send(new DeleteObjectCommand({ Bucket: store.bucket, Key: key, VersionId })));
  assert.deepEqual(await objects(), before);
  assert.deepEqual(await object(key), content);
});

test("a spec that is wrong is refused with everything that is, and a wrong key as well", async () => {
  const wrong = { ...data, size: 1, compression: "zip", backups: [] } as unknown as typeof data;
  await assert.rejects(
    writeBackups(tools, store, [wrong]),
    /the size 1 is no multiple of 2097152\n.*the compression is "zip".*\n.*it has no backup/,
  );
  await assert.rejects(writeBackups(tools, { ...store, secretAccessKey: "another" }, [data]), /SignatureDoesNotMatch/);
});
