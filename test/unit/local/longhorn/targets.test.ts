import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredBackup } from "../../../../local/longhorn/backup-store.ts";
import type { Backup, BackupTarget } from "../../../../local/longhorn/objects.ts";
import {
  backupVolumeName,
  backupVolumeStatus,
  completedStatus,
  goneBackups,
  isAvailable,
  isTargetDue,
  isVolumeDue,
} from "../../../../local/longhorn/targets.ts";
import { milliseconds } from "../../../../local/longhorn/time.ts";

function target(spec: BackupTarget["spec"], status: BackupTarget["status"] = {}): BackupTarget {
  return { metadata: { name: "homelab" }, spec: { backupTargetURL: "s3://kraft@eu-central-2/old/", ...spec }, status };
}

function stored(name: string, snapshotCreatedAt: string): StoredBackup {
  return {
    name,
    volume: "pvc-1",
    snapshot: `snapshot-of-${name}`,
    snapshotCreatedAt,
    createdAt: "2026-11-25T06:00:00Z",
    size: 10,
    volumeSize: 20,
    storageClass: "kraft-standard",
    labels: {},
  };
}

test("durations are read as Go writes them", () => {
  const read = ["5m0s", "1h30m0s", "300ms", "1.5s", "0s"].map(milliseconds);
  assert.deepEqual(read, [300_000, 5_400_000, 300, 1500, 0]);
  for (const wrong of ["", "5", "5 minutes", "m", "-5m"]) {
    assert.throws(() => milliseconds(wrong), /is no duration such as 5m0s/);
  }
});

test("two targets have BackupVolumes of their own for the same volume", () => {
  // printf %s pvc-1-default | sha256sum, and the same with homelab.
  assert.equal(backupVolumeName("pvc-1"), "pvc-1-5e6cec46");
  assert.equal(backupVolumeName("pvc-1", "homelab"), "pvc-1-c1268c68");
});

test("a target is read when it appears, when it is asked, and when its interval is over", () => {
  const lastSyncedAt = "2026-11-25T20:00:00Z";
  const at = "2026-11-25T20:04:59Z";
  const due = (spec: BackupTarget["spec"], status: BackupTarget["status"] = { lastSyncedAt }) =>
    isTargetDue(target({ pollInterval: "5m0s", ...spec }, status), at);
  assert.equal(due({}, {}), true);
  assert.equal(due({}, { lastSyncedAt: null }), true);
  assert.equal(due({}), false);
  assert.equal(due({ pollInterval: "4m59s" }), true);
  assert.equal(due({ pollInterval: "0s" }), false);
  assert.equal(due({ syncRequestedAt: "2026-11-25T20:00:01Z" }), true);
  assert.equal(due({ syncRequestedAt: "2026-11-25T19:59:59Z" }), false);
  // Asked within the second of the last time: Longhorn does not hear of it.
  assert.equal(due({ syncRequestedAt: lastSyncedAt }), false);
});

test("what a target has of a volume is read once, and again when it is asked", () => {
  const metadata = { name: backupVolumeName("pvc-1", "homelab") };
  const lastSyncedAt = "2026-11-25T20:00:00Z";
  assert.equal(isVolumeDue({ metadata, spec: {} }), true);
  assert.equal(isVolumeDue({ metadata, spec: {}, status: { lastSyncedAt } }), false);
  assert.equal(
    isVolumeDue({ metadata, spec: { syncRequestedAt: "2026-11-25T20:00:01Z" }, status: { lastSyncedAt } }),
    true,
  );
  assert.equal(isVolumeDue({ metadata, spec: { syncRequestedAt: lastSyncedAt }, status: { lastSyncedAt } }), false);
});

test("a target that goes, that has no address or that does not answer is not available", () => {
  assert.equal(isAvailable(target({}, { available: true })), true);
  assert.equal(isAvailable(target({}, { available: false })), false);
  assert.equal(isAvailable(target({ backupTargetURL: "" }, { available: true })), false);
  const { metadata, ...rest } = target({}, { available: true });
  assert.equal(isAvailable({ metadata: { ...metadata, deletionTimestamp: "2026-11-25T20:00:00Z" }, ...rest }), false);
  assert.equal(isAvailable(undefined), false);
});

test("the newest backup is the one of the newest snapshot, and every backup names its target", () => {
  const evening = stored("backup-1", "2026-11-24T18:00:00Z");
  const night = stored("backup-0", "2026-11-25T03:00:00Z");
  const status = backupVolumeStatus([night, evening], "2026-11-25T20:00:00Z");
  assert.deepEqual(
    { ...status, size: "", dataStored: "", createdAt: "", labels: {} },
    {
      lastBackupName: "backup-0",
      lastBackupAt: "2026-11-25T03:00:00Z",
      lastSyncedAt: "2026-11-25T20:00:00Z",
      size: "",
      dataStored: "",
      createdAt: "",
      storageClassName: "kraft-standard",
      labels: {},
    },
  );
  const { url, backupTargetName } = completedStatus(night, target({}), "2026-11-25T20:00:00Z") as Record<
    string,
    unknown
  >;
  assert.equal(url, "s3://kraft@eu-central-2/old/?backup=backup-0&volume=pvc-1");
  assert.equal(backupTargetName, "homelab");
});

test("backups that left the store leave the API; those that are being made, failed or go already are let be", () => {
  const object = (name: string, more: Partial<Backup> = {}): Backup => ({ metadata: { name }, spec: {}, ...more });
  const gone = goneBackups(
    [
      object("there"),
      object("mirrored"),
      object("own", { spec: { snapshotName: "s" }, status: { state: "Completed" } }),
      object("being-made", { spec: { snapshotName: "s" }, status: { state: "InProgress" } }),
      object("failed", { spec: { snapshotName: "s" }, status: { state: "Error" } }),
      object("going", { metadata: { name: "going", deletionTimestamp: "2026-11-25T20:00:00Z" } }),
    ],
    [stored("there", "2026-11-25T03:00:00Z")],
  );
  assert.deepEqual(
    gone.map(({ metadata }) => metadata.name),
    ["mirrored", "own"],
  );
});
