import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LiveState, liveVolume } from "../../../../cluster/live-state.ts";
import { restoringLabel } from "../../../../cluster/manifests.ts";
import type { Backup, PersistentVolume, Volume } from "../../../../cluster/objects.ts";
import { syncedName } from "../../../../components/plan/names.ts";
import { type ClaimPlan, claimPlan, type ClaimWish, type Seen } from "../../../../kraft/recover/claim.ts";
import { live, liveTenant } from "../../infra/guards/example.ts";

const claim = syncedName("acme", { name: "data", namespace: "shop" });
const url = (volume: string, name: string): string => `s3://bucket@region/?backup=${name}&volume=${volume}`;

function backup(name: string, created: string, volume = "pvc-1", released = ""): Backup {
  const status = { namespace: "k3k-acme", pvcName: claim, lastPVCRefAt: released };
  return {
    metadata: { name },
    status: {
      state: "Completed",
      volumeName: volume,
      snapshotCreatedAt: created,
      url: url(volume, name),
      labels: { KubernetesStatus: JSON.stringify(status) },
    },
  };
}

function volume(name: string, change: Partial<Volume> = {}): Volume {
  return {
    metadata: { name },
    spec: { size: String(2 ** 30) },
    status: { state: "detached", actualSize: 1, restoreInitiated: true, restoreRequired: false },
    ...change,
  };
}

function persistentVolume(name: string, phase: string): PersistentVolume {
  return {
    metadata: { name },
    spec: {
      csi: { driver: "driver.longhorn.io", volumeHandle: name },
      claimRef: { namespace: "k3k-acme", name: claim },
      storageClassName: "kraft-standard",
    },
    status: { phase },
  };
}

const backups = [
  backup("backup-old", "2026-11-20T01:10:00Z"),
  backup("backup-24", "2026-11-24T01:10:00Z"),
  backup("backup-25", "2026-11-25T01:10:00Z"),
];

const seen: Seen = {
  volumes: [volume("pvc-1")],
  persistentVolumes: [persistentVolume("pvc-1", "Bound")],
  claims: [{ metadata: { name: claim, namespace: "k3k-acme" }, spec: { volumeName: "pvc-1" } }],
  backups,
  pods: [],
};

const suspended = { suspendedAt: "2026-11-25T20:00:00Z", claims: [{ name: claim, volume: "pvc-1" }] };

function plan(wish: Partial<ClaimWish>, change: Partial<Seen> = {}, tenant = suspended as object): ClaimPlan {
  const now = { ...seen, ...change };
  const around: LiveState = live({ tenants: [liveTenant("acme", tenant)], volumes: now.volumes.map(liveVolume) });
  return claimPlan({ tenant: "acme", claim: "shop/data", ...wish }, around, now, "homelab");
}

describe("the newest backup that is not after the moment", () => {
  for (const [at, expected] of [
    ["2026-11-24", "backup-24"],
    ["2026-11-23", "backup-old"],
    ["2026-11-25T01:10", "backup-25"],
    ["2026-11-25T01:09", "backup-24"],
    ["2026-11-25 01:09", "backup-24"],
    ["2026-12-31", "backup-25"],
    ["backup-old", "backup-old"],
  ] as const) {
    test(at, () => {
      assert.equal(plan({ at }).backup?.name, expected);
    });
  }
  test("a moment before all of them, and what is none, are refused with what there is", () => {
    assert.throws(
      () => plan({ at: "2026-11-19" }),
      /no backup of the claim is from before 2026-11-19 23:59 UTC\n.*\n {4}backup-25 of /,
    );
    for (const at of ["yesterday", "2026-06-31", "2026-11-24T25:00", "backup-2", ""]) {
      assert.throws(() => plan({ at }), /is neither a moment nor a backup of the claim\n {2}allowed: <YYYY-MM-DD>/);
    }
  });
  test("never one of a volume whose claim was gone by then, nor one that is not complete or is being deleted", () => {
    const others: readonly Backup[] = [
      backup("of-another", "2026-11-24T05:00:00Z", "pvc-0", "2026-11-01T00:00:00Z"),
      { ...backup("unfinished", "2026-11-24T06:00:00Z"), status: { state: "InProgress", volumeName: "pvc-1" } },
      { ...backup("ending", "2026-11-24T07:00:00Z"), metadata: { name: "ending", deletionTimestamp: "now" } },
    ];
    assert.equal(plan({ at: "2026-11-24" }, { backups: [...backups, ...others] }).backup?.name, "backup-24");
  });
});

test("the claim by whichever of its names; another is refused with those that there are", () => {
  assert.equal(plan({ claim, at: "2026-11-24" }).claim, claim);
  assert.throws(
    () => plan({ claim: "shop/dat", at: "2026-11-24" }),
    /acme has no claim "shop\/dat".*\n {2}allowed: shop\/data$/,
  );
});

describe("the volume that a backup is restored into", () => {
  const name = "pvc-1-202611240110";
  const restored = (labels: Readonly<Record<string, string>>, lastPodRefAt = ""): Volume =>
    volume(name, {
      metadata: { name, labels },
      spec: { fromBackup: url("pvc-1", "backup-24") },
      status: {
        state: "detached",
        restoreInitiated: true,
        restoreRequired: false,
        kubernetesStatus: { lastPodRefAt },
      },
    });
  const at = "2026-11-24";
  test("is named after both, whatever the day is", () => {
    assert.equal(plan({ at }).volume, name);
  });
  test("is the same in the next run, until it is finished", () => {
    assert.equal(plan({ at }, { volumes: [volume("pvc-1"), restored({ [restoringLabel]: "enabled" })] }).volume, name);
  });
  test("is there, once the claim has it and nobody has used it", () => {
    const has = { ...suspended, claims: [{ name: claim, volume: name }] };
    const of = plan({ at }, { volumes: [volume("pvc-1"), restored({})] }, has);
    assert.deepEqual([of.volume, of.isThere, of.refused], [name, true, null]);
  });
  test("is another one, once it was used or belonged to the claim before", () => {
    const has = { ...suspended, claims: [{ name: claim, volume: name }] };
    const used = { volumes: [volume("pvc-1"), restored({}, "2026-11-25T12:00:00Z")] };
    assert.equal(plan({ at }, used, has).volume, `${name}-2`);
    assert.equal(plan({ at }, used).volume, `${name}-2`);
  });
  test("is named after the first volume, also if its backup is of a restored one", () => {
    const again = [backup("backup-26", "2026-11-26T01:10:00Z", name)];
    assert.equal(plan({ at: "2026-11-26" }, { backups: again }).volume, "pvc-1-202611260110");
  });
  test("has the whole UID of the claim in it, also one that ends in twelve digits", () => {
    const first = "pvc-09eae2fd-1452-4438-979f-931803361247";
    for (const former of [first, `${first}-202611240110`, `${first}-202611240110-2`]) {
      const again = [backup("backup-26", "2026-11-26T01:10:00Z", former)];
      assert.equal(plan({ at: "2026-11-26" }, { backups: again }).volume, `${first}-202611260110`);
    }
  });
});

describe("what comes first", () => {
  const at = "2026-11-24";
  const pod = (nodeName: string | undefined, phase: string) => ({
    metadata: { name: "web", namespace: "k3k-acme" },
    spec: { nodeName, volumes: [{ persistentVolumeClaim: { claimName: claim } }] },
    status: { phase },
  });
  const missing = { claims: [], persistentVolumes: [persistentVolume("pvc-1", "Released")] };
  for (const [what, change, tenant, expected] of [
    ["suspended, nothing runs", {}, suspended, null],
    [
      "the guest runs",
      {},
      { claims: suspended.claims },
      /^the guest runs, and would write meanwhile: state: suspended, pulumi up -s homelab, kubectl delete pods/,
    ],
    ["the guest runs, but the claim is gone", missing, { claims: [] }, null],
    [
      "a pod runs on",
      { pods: [pod("node-1", "Running")] },
      suspended,
      /^a pod uses it: web; kubectl delete pods --all/,
    ],
    ["a pod that no node takes", { pods: [pod(undefined, "Pending")] }, suspended, null],
    ["a pod that ended", { pods: [pod("node-1", "Succeeded")] }, suspended, null],
    ["no guest", {}, { guest: false, claims: suspended.claims }, null],
    ["the guest is being deleted", {}, { ...suspended, ends: "guest" }, /^its guest cluster is being deleted: wait/],
  ] as const) {
    test(what, () => {
      const { refused } = plan({ at }, change, tenant);
      if (expected === null) {
        assert.equal(refused, null);
      } else {
        assert.match(refused ?? "", expected);
      }
    });
  }
});

describe("without a moment, a retained volume", () => {
  const ended = (name: string, lastPVCRefAt: string): Volume =>
    volume(name, {
      status: { state: "detached", actualSize: 1, kubernetesStatus: { lastPVCRefAt, lastPodRefAt: lastPVCRefAt } },
    });
  const change: Partial<Seen> = {
    volumes: [volume("pvc-1"), ended("pvc-older", "2026-11-01T00:00:00Z"), ended("pvc-later", "2026-11-10T00:00:00Z")],
    persistentVolumes: [
      persistentVolume("pvc-1", "Bound"),
      persistentVolume("pvc-older", "Released"),
      persistentVolume("pvc-later", "Released"),
    ],
  };
  test("the one that it had last, or the one that is named", () => {
    const last = plan({}, change);
    assert.deepEqual([last.volume, last.backup, last.current], ["pvc-later", null, "pvc-1"]);
    assert.equal(plan({ volume: "pvc-older" }, change).volume, "pvc-older");
  });
  test("never one that is somebody's, or none", () => {
    assert.throws(
      () => plan({ volume: "pvc-1" }, change),
      /pvc-1 is no retained volume of shop\/data of acme\n {2}allowed: pvc-later, pvc-older$/,
    );
    assert.throws(() => plan({}), /no volume of shop\/data of acme is retained; use --at to restore it from a backup/);
  });
});
