import assert from "node:assert/strict";
import { test } from "node:test";
import type { Volume } from "../../../../cluster/objects.ts";
import { backupLabels, volumesToBackUp } from "../../../../kraft/backup/backup.ts";
import { backupMissing, deletable, released, type Seen } from "../../../../kraft/reclaim/reclaim.ts";
import { confirmed } from "../../../../kraft/reclaim/run.ts";

const now = new Date("2026-11-25T12:00:00Z");

/** A volume whose claim is gone since the 20th, with a backup of the 21st. */
const gone: Volume = {
  metadata: { name: "pvc-1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { size: "1024" },
  status: {
    state: "detached",
    actualSize: 512,
    lastBackupAt: "2026-11-21T00:00:00Z",
    kubernetesStatus: {
      namespace: "k3k-acme",
      pvcName: "data",
      pvStatus: "Released",
      lastPVCRefAt: "2026-11-20T00:00:00Z",
    },
  },
};

function seen(volume: Volume = gone, change: Partial<Seen> = {}, phase = "Released"): Seen {
  return {
    volumes: [volume],
    persistentVolumes: [
      {
        metadata: { name: "pvc-1" },
        spec: {
          claimRef: { namespace: "k3k-acme", name: "data" },
          csi: { driver: "driver.longhorn.io", volumeHandle: "pvc-1" },
        },
        status: { phase },
      },
    ],
    claims: [],
    namespaces: [],
    ...change,
  };
}

test("what a deleted claim has left is listed with whose it was", () => {
  assert.deepEqual(released(seen(), now), [
    {
      volume: "pvc-1",
      persistentVolume: "pvc-1",
      tenant: "acme",
      claim: "data",
      bytes: 1024,
      usedBytes: 512,
      releasedAt: "2026-11-20T00:00:00Z",
      lastBackupAt: "2026-11-21T00:00:00Z",
    },
  ]);
  assert.equal(released(seen(gone, { persistentVolumes: [] }), now)[0]?.persistentVolume, null);
});

test("a volume that may be anybody's is neither listed nor deleted, whatever is said", () => {
  const status = gone.status ?? {};
  for (const [found, reason] of [
    [seen(gone, {}, "Bound"), /its PersistentVolume pvc-1 is Bound/],
    [seen(gone, {}, "Available"), /is Available/],
    [
      seen(gone, { claims: [{ metadata: { name: "c", namespace: "n" }, spec: { volumeName: "pvc-1" } }] }),
      /the claim n\/c names it/,
    ],
    [seen({ ...gone, status: { ...status, state: "attached" } }), /it is attached/],
    [seen({ ...gone, status: { ...status, restoreRequired: true } }), /a backup is being restored into it/],
    [seen({ ...gone, metadata: { name: "pvc-1", labels: { "kraft.dev/drill": "acme" } } }), /it is a drill's/],
    [
      seen(
        {
          ...gone,
          metadata: { name: "pvc-1", creationTimestamp: "2026-11-25T11:00:00Z" },
          spec: { fromBackup: "s3://x" },
        },
        { persistentVolumes: [] },
      ),
      /somebody may be restoring it/,
    ],
  ] as const) {
    assert.deepEqual(released(found, now), [], String(reason));
    assert.throws(() => deletable("pvc-1", found, now, true), reason);
  }
  assert.throws(() => deletable("pvc-2", seen(), now, true), /has no volume pvc-2\n {2}released: pvc-1/);
});

test("without a backup since its claim ended it is not deleted, unless that is said", () => {
  const status = gone.status ?? {};
  for (const [change, reason] of [
    [{ lastBackupAt: "" }, /it was never backed up/],
    [{ lastBackupAt: "2026-11-19T23:59:59Z" }, /is older than the end of its claim/],
    [{ kubernetesStatus: { ...status.kubernetesStatus, lastPVCRefAt: "" } }, /when its claim was deleted is not known/],
  ] as const) {
    const found = seen({ ...gone, status: { ...status, ...change } });
    assert.throws(() => deletable("pvc-1", found, now, false), reason);
    assert.equal(deletable("pvc-1", found, now, true).volume, "pvc-1");
  }
  assert.equal(deletable("pvc-1", seen(), now, false).tenant, "acme");
  const [same] = released(seen({ ...gone, status: { ...status, lastBackupAt: "2026-11-20T00:00:00Z" } }), now);
  assert.equal(same === undefined ? "" : backupMissing(same), undefined);
});

test("a deletion is confirmed by the exact name and today's date, or not at all", () => {
  assert.equal(confirmed({}, now), undefined);
  assert.equal(confirmed({ volume: "pvc-1", confirm: ["pvc-1", "2026-11-25"] }, now), "pvc-1");
  for (const options of [
    { volume: "pvc-1" },
    { volume: "pvc-1", confirm: ["pvc-1"] },
    { volume: "pvc-1", confirm: ["pvc-2", "2026-11-25"] },
    { volume: "pvc-1", confirm: ["pvc-1", "2026-11-24"] },
    { volume: "pvc-1", confirm: ["pvc-1", "2026-11-25", "pvc-2"] },
    { confirm: ["pvc-1", "2026-11-25"] },
    { withoutBackup: true as const },
  ]) {
    assert.throws(() => confirmed(options, now), /allowed: /, JSON.stringify(options));
  }
});

test("a backup is of the volumes that claims are bound to; another one has to be named", () => {
  const bound: Volume = {
    metadata: { name: "pvc-2" },
    status: { kubernetesStatus: { namespace: "k3k-acme", pvcName: "data", pvStatus: "Bound" } },
  };
  const names = (only?: string): string[] =>
    volumesToBackUp([gone, bound], "acme", only === undefined ? undefined : [only]).map((v) => v.metadata.name);
  assert.deepEqual(names(), ["pvc-2"]);
  assert.deepEqual(names("pvc-1"), ["pvc-1"]);
  assert.throws(() => names("pvc-3"), /pvc-3 is no volume of acme\n {2}allowed: pvc-1, pvc-2/);
  assert.throws(() => volumesToBackUp([gone], "acme"), /no volume that a claim of acme is bound to/);
  assert.deepEqual(backupLabels(bound), {
    KubernetesStatus:
      '{"pvName":"","pvStatus":"Bound","namespace":"k3k-acme","pvcName":"data","lastPVCRefAt":"","workloadsStatus":null,"lastPodRefAt":""}',
  });
});
