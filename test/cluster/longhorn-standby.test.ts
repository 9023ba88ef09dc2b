import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import type { StoredBackup } from "../../local/longhorn/backup-store.ts";
import { engineName } from "../../local/longhorn/engines.ts";
import {
  type Backup,
  type BackupTarget,
  type BackupVolume,
  type Engine,
  longhornApi,
  type Snapshot,
  type Volume,
} from "../../local/longhorn/objects.ts";
import { backupVolumeName } from "../../local/longhorn/targets.ts";
import { type Embedded, eventually } from "./embedded.ts";
import { platform } from "./platform.ts";
import { MemoryStore } from "./simulated-longhorn/memory-store.ts";
import { SimulatedLonghorn } from "./simulated-longhorn/simulated-longhorn.ts";

// Of the simulated Longhorn itself: that the real CRDs take what it writes, and what the pure steps do not decide.

const name = "pvc-1";
const target = "old-cluster";
const url = "s3://kraft-local@eu-central-2/old/";
const own = new MemoryStore();
const old = new MemoryStore();
let local: Embedded;
let longhorn: SimulatedLonghorn;

before(async () => {
  old.backups.set("monday", stored("monday", "2026-11-23T03:00:00Z"));
  own.backups.set("sunday", stored("sunday", "2026-11-22T03:00:00Z"));
  local = await platform();
  longhorn = new SimulatedLonghorn(local.cluster.api, { store: own, targets: { [target]: old } });
  longhorn.start();
});

after(async () => {
  await longhorn.stop();
  await local.remove();
});

function stored(backup: string, snapshotCreatedAt: string): StoredBackup {
  return {
    name: backup,
    volume: name,
    snapshot: `snapshot-of-${backup}`,
    snapshotCreatedAt,
    createdAt: snapshotCreatedAt,
    size: 4 * 1024 ** 2,
    volumeSize: 64 * 1024 ** 2,
    storageClass: "kraft-standard",
    labels: { KubernetesStatus: JSON.stringify({ pvName: name, namespace: "k3k-acme", pvcName: "data" }) },
  };
}

function apply(plural: string, kind: string, object: string, rest: object): Promise<void> {
  const metadata = { name: object, namespace: "longhorn-system" };
  const whole = { apiVersion: "longhorn.io/v1beta2", kind, metadata, ...rest };
  return local.cluster.api.apply(`${longhornApi}/${plural}/${object}`, whole, "kraft-test");
}

function get<Kind>(path: string): Promise<Kind | undefined> {
  return local.cluster.api.get<Kind>(`${longhornApi}/${path}`);
}

/** As Kraft would: to the second after the last sync, or Longhorn would not hear of it. */
async function askForSync(): Promise<void> {
  const volume = backupVolumeName(name, target);
  const synced = (await get<BackupVolume>(`backupvolumes/${volume}`))?.status?.lastSyncedAt ?? "";
  const syncRequestedAt = new Date(Math.max(Date.now(), Date.parse(synced) + 1000)).toISOString();
  await apply("backupvolumes", "BackupVolume", volume, { spec: { syncRequestedAt } });
}

function applyVolume(change: object): Promise<void> {
  const fromBackup = `${url}?backup=monday&volume=${name}`;
  const spec = { size: "1048576", fromBackup, Standby: true, frontend: "", numberOfReplicas: 1, dataEngine: "v1" };
  return apply("volumes", "Volume", name, { spec: { ...spec, ...change } });
}

function restored(backup: string): Promise<Engine> {
  return eventually(`a volume with what ${backup} has`, async () => {
    const engine = await get<Engine>(`engines/${engineName(name)}`);
    return engine?.status?.lastRestoredBackup === backup ? engine : undefined;
  });
}

test("a second target has its own objects, once it has its secret", async () => {
  const credentialSecret = "old-cluster-key";
  await apply("backuptargets", "BackupTarget", target, {
    spec: { backupTargetURL: url, credentialSecret, pollInterval: "1h0m0s" },
  });
  await eventually("the default target's backup", () => get<Backup>("backups/sunday"));
  assert.equal((await get<BackupTarget>(`backuptargets/${target}`))?.status?.available, undefined);
  await local.cluster.api.create("/api/v1/namespaces/longhorn-system/secrets", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: credentialSecret, namespace: "longhorn-system" },
  });
  const synced = await eventually("a target that was read", async () => {
    const found = await get<BackupTarget>(`backuptargets/${target}`);
    return (found?.status?.lastSyncedAt ?? "") === "" ? undefined : found;
  });
  assert.equal(synced.status?.available, true);
  const monday = await get<Backup & { status: { url: string } }>("backups/monday");
  assert.equal(monday?.status.url, `${url}?backup=monday&volume=${name}`);
  assert.equal(monday.status.backupTargetName, target);
  assert.equal(monday.metadata.labels?.["backup-target"], target);
  for (const [of, backup] of [
    ["default", "sunday"],
    [target, "monday"],
  ] as const) {
    const volume = await get<BackupVolume>(`backupvolumes/${backupVolumeName(name, of)}`);
    assert.deepEqual([volume?.spec.backupTargetName, volume?.status?.lastBackupName], [of, backup]);
  }
});

test("a standby volume follows its own target, and a new backup is found when somebody asks", async () => {
  await applyVolume({});
  await restored("monday");
  const volume = await get<Volume>(`volumes/${name}`);
  assert.equal(volume?.spec.Standby, true);
  assert.equal(volume.spec.backupTargetName, target);
  assert.equal(volume.spec.size, String(64 * 1024 ** 2));
  const { state, isStandby, restoreRequired, restoreInitiated, lastBackup, lastBackupAt } = volume.status ?? {};
  assert.deepEqual([state, isStandby, restoreRequired, restoreInitiated], ["attached", true, true, true]);
  assert.deepEqual([lastBackup, lastBackupAt], ["monday", "2026-11-23T03:00:00Z"]);

  old.backups.set("tuesday", stored("tuesday", "2026-11-24T03:00:00Z"));
  await sleep(2000);
  assert.equal(await get("backups/tuesday"), undefined);
  await askForSync();
  const engine = await restored("tuesday");
  assert.equal(engine.metadata.labels?.["longhornvolume"], name);
  assert.equal(engine.spec.backupVolume, backupVolumeName(name, target));
});

test("a standby volume gives no snapshot", async () => {
  await apply("snapshots", "Snapshot", "refused", { spec: { volume: name, createSnapshot: true } });
  const snapshot = await eventually("a refusal", async () => {
    const found = await get<Snapshot>("snapshots/refused");
    return found?.status?.error === undefined ? undefined : found;
  });
  assert.equal(snapshot.status?.error, `failed to create snapshot for standby volume ${name}`);
  assert.notEqual(snapshot.status.readyToUse, true);
  await deleteGuarded(local.cluster.api, `${longhornApi}/snapshots/refused`);
});

test("it ends only with the newest backup, and its own backups go where it is told", async () => {
  longhorn.faults.follow = () => "endless";
  old.backups.set("wednesday", stored("wednesday", "2026-11-25T03:00:00Z"));
  await askForSync();
  await applyVolume({ Standby: false, frontend: "blockdev" });
  await eventually("the newest backup's object", () => get<Backup>("backups/wednesday"));
  await sleep(1000);
  const held = await get<Volume>(`volumes/${name}`);
  assert.deepEqual([held?.status?.isStandby, held?.status?.lastBackup], [true, "wednesday"]);
  delete longhorn.faults.follow;
  await eventually("a volume of its own", async () => {
    const { state, isStandby, restoreRequired } = (await get<Volume>(`volumes/${name}`))?.status ?? {};
    return state === "detached" && isStandby === false && restoreRequired === false ? true : undefined;
  });

  await applyVolume({ Standby: false, frontend: "blockdev", backupTargetName: "default" });
  await eventually("a label that follows", async () => {
    const labels = (await get<Volume>(`volumes/${name}`))?.metadata.labels;
    return labels?.["backup-target"] === "default" ? labels : undefined;
  });
  await apply("snapshots", "Snapshot", "first", { spec: { volume: name, createSnapshot: true } });
  await apply("backups", "Backup", "first", { spec: { snapshotName: "first" } });
  const first = await eventually("its first backup", async () => {
    const found = await get<Backup>("backups/first");
    return found?.status?.state === "Completed" ? found : undefined;
  });
  assert.equal(first.status?.backupTargetName, "default");
  assert.deepEqual([own.backups.has("first"), old.backups.has("first")], [true, false]);
});

test("a backup that left a store leaves the API; a target that is deleted takes its objects along, and no backup", async () => {
  old.backups.delete("monday");
  await askForSync();
  await eventually("Monday's object to go", async () =>
    (await get("backups/monday")) === undefined ? true : undefined,
  );
  const kept = [...old.backups.keys()];
  await local.cluster.api.delete(`${longhornApi}/backuptargets/${target}`);
  await eventually("all of the target's objects to go", async () => {
    const backups = await local.cluster.api.list<Backup>(`${longhornApi}/backups`);
    const rest = [
      await get(`backuptargets/${target}`),
      await get(`backupvolumes/${backupVolumeName(name, target)}`),
      backups.find(({ metadata }) => metadata.labels?.["backup-target"] === target),
    ];
    return rest.every((object) => object === undefined) ? true : undefined;
  });
  assert.deepEqual([...old.backups.keys()], kept);
  assert.deepEqual(kept, ["tuesday", "wednesday"]);

  // Of a target that stays, a Backup takes its backup along, as ever.
  await deleteGuarded(local.cluster.api, `${longhornApi}/backups/sunday`);
  await eventually("Sunday's backup to go", () => Promise.resolve(own.backups.has("sunday") ? undefined : true));
});
