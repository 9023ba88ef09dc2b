import assert from "node:assert/strict";
import { test } from "node:test";
import type { Unrestored } from "../../../../local/longhorn/disks.ts";
import { nextRestore, type Restore } from "../../../../local/longhorn/engines.ts";
import type { Backup, BackupVolume, Volume, VolumeStatus } from "../../../../local/longhorn/objects.ts";
import { backupVolumeName } from "../../../../local/longhorn/targets.ts";
import { nextVolumeStatus } from "../../../../local/longhorn/volumes.ts";

const url = "s3://kraft@eu-central-2/old/?backup=monday&volume=pvc-1";
const monday: Backup = {
  metadata: { name: "monday" },
  spec: {},
  status: {
    state: "Completed",
    size: "4096",
    snapshotCreatedAt: "2026-11-23T03:00:00Z",
    labels: { KubernetesStatus: JSON.stringify({ pvName: "pvc-1", namespace: "k3k-acme", pvcName: "data" }) },
  },
};

/** A volume from Monday's backup, and its engine, one step after the other. */
class Follower {
  standby: boolean;
  unrestored: Unrestored | undefined;
  known = ["monday"];
  last = "monday";
  syncRequestedAt: string | undefined;
  status: VolumeStatus = {};
  restore: Restore | undefined;

  constructor(standby: boolean) {
    this.standby = standby;
  }

  step(count = 1): this {
    for (let step = 0; step < count; step += 1) {
      const spec = { fromBackup: url, backupTargetName: "homelab", ...(this.standby ? { Standby: true } : {}) };
      const volume: Volume = { metadata: { name: "pvc-1" }, spec, status: this.status };
      this.restore = nextRestore(this.restore, volume, this.unrestored);
      this.status = nextVolumeStatus(volume, {
        now: "2026-11-25T20:00:00Z",
        backup: monday,
        restore: this.restore,
        unrestored: this.unrestored,
        persistentVolume: undefined,
        pods: [],
        claims: [],
        backupVolume: this.#backupVolume(),
        isKnown: (name) => this.known.includes(name),
        newSize: 0,
      });
    }
    return this;
  }

  #backupVolume(): BackupVolume {
    return {
      metadata: { name: backupVolumeName("pvc-1", "homelab") },
      spec: this.syncRequestedAt === undefined ? {} : { syncRequestedAt: this.syncRequestedAt },
      status: {
        lastBackupName: this.last,
        lastBackupAt: "2026-11-25T03:00:00Z",
        lastSyncedAt: "2026-11-25T20:00:00Z",
      },
    };
  }

  /** What Kraft looks at, in short. */
  get seen(): readonly unknown[] {
    const { state, isStandby, restoreRequired, lastBackup } = this.status;
    return [state, isStandby, restoreRequired, lastBackup, this.restore?.lastRestoredBackup];
  }
}

/** Long enough for everything that can happen to have happened. */
const ages = 20;

function following(): Follower {
  return new Follower(true).step(ages);
}

test("an ordinary restore ends by itself: attached while it restores, detached at the end, its engine forgets it", () => {
  const volume = new Follower(false);
  const states: unknown[] = [];
  for (let step = 0; step < 7; step += 1) {
    states.push(volume.step().status.state);
  }
  assert.deepEqual(states, ["creating", "detached", "attaching", "attached", "attached", "detached", "detached"]);
  assert.deepEqual(volume.seen, ["detached", undefined, false, "monday", ""]);
  assert.deepEqual(
    volume.status.conditions?.map(({ status }) => status),
    ["False"],
  );
  assert.deepEqual(volume.restore, {
    backupVolume: "",
    requestedBackupRestore: "",
    currentState: "stopped",
    lastRestoredBackup: "",
  });
});

test("a standby volume stays attached, has its claim from the backup, and follows one step behind", () => {
  const volume = following();
  assert.deepEqual(volume.seen, ["attached", true, true, "monday", "monday"]);
  assert.equal(volume.status.restoreInitiated, true);
  assert.equal(volume.status.kubernetesStatus?.pvcName, "data");
  assert.equal(volume.status.actualSize, 4096);
  assert.equal(volume.restore?.backupVolume, backupVolumeName("pvc-1", "homelab"));

  volume.last = "tuesday";
  volume.known.push("tuesday");
  assert.deepEqual(volume.step().seen, ["attached", true, true, "tuesday", "monday"]);
  assert.deepEqual(volume.step().seen, ["attached", true, true, "tuesday", "monday"]);
  assert.equal(volume.restore.requestedBackupRestore, "tuesday");
  assert.deepEqual(volume.step().seen, ["attached", true, true, "tuesday", "tuesday"]);
});

test("a standby volume that is up to date ends when it is told to, and only then", () => {
  const volume = following();
  volume.standby = false;
  assert.deepEqual(volume.step().seen, ["attached", false, false, "monday", "monday"]);
  assert.deepEqual(volume.step().seen, ["detached", false, false, "monday", "monday"]);
  assert.deepEqual(volume.step().seen, ["detached", false, false, "monday", ""]);
});

test("it does not end while a sync is outstanding, the newest backup is not restored, or its object is not there", () => {
  const volume = following();
  volume.standby = false;
  volume.syncRequestedAt = "2026-11-25T20:00:01Z";
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "monday", "monday"]);
  volume.syncRequestedAt = undefined;

  volume.last = "tuesday";
  volume.unrestored = "running";
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "tuesday", "monday"]);
  volume.unrestored = undefined;
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "tuesday", "tuesday"]);

  volume.known.push("tuesday");
  assert.deepEqual(volume.step(ages).seen, ["detached", false, false, "tuesday", ""]);
});

test("a first restore that never ends leaves nothing restored, and cannot be ended", () => {
  const volume = new Follower(true);
  volume.unrestored = "running";
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "monday", ""]);
  volume.standby = false;
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "monday", ""]);
});

test("a fault while there is nothing to follow does nothing; with a new backup the volume is faulted for good", () => {
  const volume = following();
  volume.unrestored = "failed";
  assert.deepEqual(volume.step(ages).seen, ["attached", true, true, "monday", "monday"]);
  volume.last = "tuesday";
  volume.step(ages);
  assert.equal(volume.status.robustness, "faulted");
  assert.match(volume.status.conditions?.[0]?.message ?? "", /^All replica restore failed/);
  volume.unrestored = undefined;
  volume.standby = false;
  assert.deepEqual(volume.step(ages).seen, ["detached", true, true, "tuesday", ""]);
});
