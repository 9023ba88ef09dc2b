import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf } from "../../../../local/longhorn/bucket-store.ts";
import { volumeBytes } from "../../../../local/longhorn/provisioner.ts";
import { bytesOf } from "../../../../local/longhorn/quantity.ts";
import { isOf } from "../../../../local/longhorn/recurring-jobs.ts";
import { nextVolumeStatus } from "../../../../local/longhorn/volumes.ts";

test("quantities are read as tenants write them, and nothing else is", () => {
  for (const [text, bytes] of [
    ["1Gi", 1024 ** 3],
    ["500M", 500e6],
    ["1.5G", 1.5e9],
    ["1e9", 1e9],
    ["4096", 4096],
    ["0.3", 1],
  ] as const) {
    assert.equal(bytesOf(text), bytes, text);
  }
  for (const text of ["", "Gi", "1 Gi", "-1Gi", "1GB", "1m"]) {
    assert.throws(() => bytesOf(text), RangeError, text);
  }
});

test("a volume has whole blocks of its backups, without which the library restores nothing", () => {
  assert.equal(volumeBytes("500M", {}), 239 * 2 * 1024 ** 2);
  assert.equal(volumeBytes("1Gi", { backupBlockSize: "16Mi" }), 1024 ** 3);
  assert.equal(volumeBytes("1", { backupBlockSize: "16Mi" }), 16 * 1024 ** 2);
});

test("a job is for volumes that name it or one of its groups; those that name none are of the group default", () => {
  const job = { metadata: { name: "daily" }, spec: { groups: ["standard", "default"] } };
  const volume = (labels: Record<string, string>) => ({ metadata: { name: "pvc-1", labels }, spec: {} });
  assert.equal(isOf(job, volume({})), true);
  assert.equal(isOf(job, volume({ "recurring-job-group.longhorn.io/standard": "enabled" })), true);
  assert.equal(isOf(job, volume({ "recurring-job.longhorn.io/daily": "enabled" })), true);
  assert.equal(isOf(job, volume({ "recurring-job-group.longhorn.io/kraft-none": "enabled" })), false);
  assert.equal(isOf(job, volume({ "recurring-job-group.longhorn.io/standard": "disabled" })), true);
});

test("a target's place is read from its URL and its secret, or not at all", () => {
  const target = { spec: { backupTargetURL: "s3://kraft-backup@eu-central-2/homelab/" } };
  const secret = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", AWS_ENDPOINTS: "https://s3.example" };
  assert.deepEqual(placeOf(target, secret), {
    endpoint: "https://s3.example",
    region: "eu-central-2",
    bucket: "kraft-backup",
    prefix: "homelab",
    accessKeyId: "id",
    secretAccessKey: "key",
  });
  assert.equal(placeOf(target, secret, "http://127.0.0.1:9000")?.endpoint, "http://127.0.0.1:9000");
  assert.equal(placeOf(target, {}), undefined);
  assert.equal(placeOf({ spec: { backupTargetURL: "nfs://there" } }, secret), undefined);
});

test("where attachments say so, a volume is attached to their node and not where a pod is", () => {
  const status = (attachedTo: string) =>
    nextVolumeStatus(
      { metadata: { name: "pvc-1" }, spec: {}, status: { state: "detached" } },
      {
        now: "2026-11-25T20:00:00Z",
        backup: undefined,
        restore: undefined,
        unrestored: undefined,
        persistentVolume: {
          metadata: { name: "pvc-1" },
          spec: { claimRef: { namespace: "shop", name: "data" } },
          status: { phase: "Bound" },
        },
        attachedTo,
        pods: [
          {
            metadata: { name: "db", namespace: "shop" },
            spec: { nodeName: "one", volumes: [{ persistentVolumeClaim: { claimName: "data" } }] },
            status: { phase: "Pending" },
          },
        ],
        claims: [],
        backupVolume: undefined,
        isKnown: () => false,
        newSize: 0,
        heldBytes: 4096,
      },
    );
  assert.deepEqual([status("").state, status("")["currentNodeID"]], ["detached", ""]);
  assert.deepEqual(
    [status("two").state, status("two")["currentNodeID"], status("two").actualSize],
    ["attached", "two", 4096],
  );
});
