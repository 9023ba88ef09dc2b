import assert from "node:assert/strict";
import { test } from "node:test";
import { volumeManifest } from "../../../../cluster/manifests.ts";
import type { Backup, KubernetesObject, PersistentVolume, Volume } from "../../../../cluster/objects.ts";
import { checkerPod } from "../../../../kraft/drill/checker.ts";
import { leftovers } from "../../../../kraft/drill/cleanup.ts";
import { type Holder, isAbandoned } from "../../../../kraft/drill/lease.ts";
import { nextTenant, recordOf } from "../../../../kraft/drill/record.ts";
import { drillName, scratchVolume } from "../../../../kraft/drill/restore.ts";
import { drillPlan, type Target } from "../../../../kraft/drill/targets.ts";

const datastore = "varlibrancherk3s-k3k-acme-server-0";

function volume(name: string, claim: string, more: Partial<Volume> = {}): Volume {
  return {
    metadata: { name },
    status: { kubernetesStatus: { namespace: "k3k-acme", pvcName: claim, pvStatus: "Bound" } },
    ...more,
  };
}

function backup(name: string, volumeName: string, snapshotCreatedAt: string, status: Backup["status"] = {}): Backup {
  const url = `s3://b@r/?backup=${name}&volume=${volumeName}`;
  return {
    metadata: { name },
    status: { state: "Completed", volumeName, snapshotCreatedAt, url, size: "10", volumeSize: "20", ...status },
  };
}

const nothing = { volumes: [], backups: [], backupVolumes: [], persistentVolumes: [] };

test("the newest completed backup of every volume that is in use is restored", () => {
  const plan = drillPlan("acme", {
    ...nothing,
    volumes: [
      volume("v1", "data"),
      volume("v2", datastore),
      volume("v3", "new"),
      volume("other", "data", { status: { kubernetesStatus: { namespace: "k3k-blue", pvStatus: "Bound" } } }),
      volume("gone", "old", { status: { kubernetesStatus: { namespace: "k3k-acme", pvStatus: "Released" } } }),
      // A drill's volume has its claim from the backup.
      volume("drill-acme-0", "data", { metadata: { name: "drill-acme-0", labels: { "kraft.dev/drill": "acme" } } }),
    ],
    backups: [
      backup("b1", "v1", "2026-11-01T00:00:00Z"),
      backup("b2", "v1", "2026-11-03T00:00:00Z"),
      backup("b3", "v1", "2026-11-04T00:00:00Z", { state: "Error" }),
      backup("b4", "v1", "2026-11-05T00:00:00Z", { state: "InProgress" }),
      { ...backup("b5", "v1", "2026-11-06T00:00:00Z"), metadata: { name: "b5", deletionTimestamp: "2026-11-07" } },
      backup("b6", "v2", "2026-11-02T00:00:00Z"),
      backup("b7", "gone", "2026-11-02T00:00:00Z"),
    ],
  });
  assert.deepEqual(
    plan.targets.map(({ claim, backup: name, isDatastore }) => [claim, name, isDatastore]),
    [
      ["data", "b2", false],
      [datastore, "b6", true],
    ],
  );
  assert.deepEqual(plan.missing, [{ claim: "new", why: "has no completed backup" }]);
});

test("what cannot be read from outside is said, not counted as restored", () => {
  const block: PersistentVolume = {
    metadata: { name: "pv" },
    spec: { volumeMode: "Block", csi: { driver: "driver.longhorn.io", volumeHandle: "v1" } },
  };
  const plan = drillPlan("acme", {
    volumes: [volume("v1", "raw"), volume("v2", "secret", { spec: { encrypted: true } }), volume("v3", "secret2")],
    backups: ["v1", "v2", "v3"].map((name) => backup(`b-${name}`, name, "2026-11-01T00:00:00Z")),
    backupVolumes: [
      { metadata: { name: "v" }, spec: { volumeName: "v3" }, status: { labels: { "volume-encrypted": "enabled" } } },
    ],
    persistentVolumes: [block],
  });
  assert.deepEqual(plan.targets, []);
  assert.deepEqual(
    plan.unchecked.map(({ claim, why }) => [claim, why.split(":")[0]]),
    [
      ["raw", "is a block device"],
      ["secret", "is encrypted"],
      ["secret2", "is encrypted"],
    ],
  );
});

test("a tenant without volumes is known by its backups: the newest of each claim", () => {
  const of = (claim: string, namespace = "k3k-acme") => ({
    labels: { KubernetesStatus: JSON.stringify({ namespace, pvcName: claim }) },
  });
  const { targets } = drillPlan("acme", {
    ...nothing,
    backups: [
      backup("b1", "v1", "2026-11-01T00:00:00Z", of("data")),
      backup("b2", "v2", "2026-11-02T00:00:00Z", of("data")),
      backup("b3", "v3", "2026-11-03T00:00:00Z", of("data", "k3k-blue")),
      backup("b4", "v4", "2026-11-03T00:00:00Z", { labels: { KubernetesStatus: "{" } }),
    ],
  });
  assert.deepEqual(
    targets.map(({ claim, backup: name }) => [claim, name]),
    [["data", "b2"]],
  );
});

test("the tenant that was looked at longest ago is next; one that fails does not keep the others waiting", () => {
  const namespace = (tenant: string, annotations: Record<string, string>): KubernetesObject => ({
    metadata: { name: `k3k-${tenant}`, annotations },
  });
  const proven = "kraft.dev/proven-restorable";
  const failed = "kraft.dev/restore-drill-failed";
  const namespaces = [
    namespace("a", { [proven]: "2026-11-01T00:00:00Z" }),
    namespace("b", { [failed]: "2026-11-02T00:00:00Z data: broken" }),
    namespace("c", { [proven]: "2026-10-01T00:00:00Z", [failed]: "2026-11-03T00:00:00Z data: broken" }),
  ];
  assert.equal(nextTenant(["a", "b", "c"], namespaces), "a");
  assert.equal(nextTenant(["b", "c"], namespaces), "b");
  assert.equal(nextTenant(["a", "b", "never"], namespaces), "never");
  assert.equal(nextTenant([], namespaces), undefined);
  assert.deepEqual(recordOf(namespaces[2]), {
    provenAt: "2026-10-01T00:00:00Z",
    failure: { at: "2026-11-03T00:00:00Z", why: "data: broken" },
  });
  assert.equal(recordOf(namespace("d", { [proven]: "yesterday" })).provenAt, undefined);
});

test("a lease is left where it is too old, or its process on this machine has ended", () => {
  const self: Holder = { run: "new", host: "here", processes: "boot/pid", pid: 2 };
  const now = new Date("2026-11-25T12:00:00Z");
  const lease = (secondsAgo: number, holder: Partial<Holder>) => ({
    holderIdentity: JSON.stringify({ ...self, pid: 1, ...holder }),
    leaseDurationSeconds: 60,
    renewTime: new Date(now.getTime() - secondsAgo * 1000).toISOString(),
  });
  const ended = () => false;
  const runs = () => true;
  assert.equal(isAbandoned(lease(5, {}), now, self, runs), false);
  assert.equal(isAbandoned(lease(5, {}), now, self, ended), true);
  // Process numbers of another machine, container or boot say nothing.
  assert.equal(isAbandoned(lease(5, { processes: "boot/other" }), now, self, ended), false);
  assert.equal(isAbandoned(lease(5, { processes: "" }), now, { ...self, processes: "" }, ended), false);
  assert.equal(isAbandoned(lease(61, { processes: "boot/other" }), now, self, runs), true);
  assert.equal(isAbandoned({ ...lease(5, {}), holderIdentity: "somebody" }, now, self, ended), false);
  assert.equal(isAbandoned(undefined, now, self, runs), true);
});

test("only what a drill has made is ever removed", () => {
  const labels = { "kraft.dev/drill": "acme" };
  const scratch = (name: string, over = name): PersistentVolume => ({
    metadata: { name, labels },
    spec: { claimRef: { namespace: "kraft-drill", name }, csi: { volumeHandle: over } },
  });
  const volumeOf = (name: string, fromBackup = "s3://x"): Volume => ({
    metadata: { name, labels },
    spec: { fromBackup },
  });
  const foreign: PersistentVolume = { metadata: { name: "pv" }, spec: { csi: { volumeHandle: "drill-acme-3" } } };
  const claimed = { ...scratch("drill-acme-5"), spec: { claimRef: { namespace: "k3k-acme", name: "data" } } };
  const found = leftovers(
    {
      pods: [{ metadata: { name: "drill-acme-0" } }, { metadata: { name: "shop" } }],
      claims: [{ metadata: { name: "drill-acme-0" } }],
      persistentVolumes: [scratch("drill-acme-0"), scratch("drill-acme-4", "pvc-1"), claimed],
      volumes: [volumeOf("drill-acme-0"), volumeOf("pvc-1"), volumeOf("drill-acme-2", ""), volumeOf("drill-acme-3")],
    },
    [scratch("drill-acme-0"), foreign],
  );
  const names = (objects: readonly { name: string }[]): string[] => objects.map(({ name }) => name);
  assert.deepEqual(names(found.pods), ["drill-acme-0"]);
  assert.deepEqual(names(found.claims), ["drill-acme-0"]);
  assert.deepEqual(names(found.persistentVolumes), ["drill-acme-0"]);
  assert.deepEqual(names(found.volumes), ["drill-acme-0"]);
  assert.deepEqual(
    found.strange.map(({ what }) => what),
    [
      "pod shop",
      "PersistentVolume drill-acme-4",
      "PersistentVolume drill-acme-5",
      "volume pvc-1",
      "volume drill-acme-2",
      "volume drill-acme-3",
    ],
  );
});

test("a scratch volume is in no schedule, and its pod has no token, no right to write and no network of the host", () => {
  const target: Target = {
    claim: datastore,
    volume: "v",
    backup: "b",
    url: "s3://x",
    snapshotCreatedAt: "",
    volumeSize: 1024,
    fsType: "ext4",
    isDatastore: true,
  };
  const name = drillName("acme", 0);
  const { metadata, spec } = volumeManifest(scratchVolume(name, "acme", target)).object as {
    metadata: { labels: Record<string, string> };
    spec: { numberOfReplicas: number };
  };
  assert.equal(metadata.labels["recurring-job-group.longhorn.io/kraft-drill"], "enabled");
  assert.equal(spec.numberOfReplicas, 1);
  const pod = checkerPod(name, "acme", target.isDatastore, "r1") as {
    spec: {
      automountServiceAccountToken: boolean;
      hostNetwork?: boolean;
      containers: { volumeMounts: { readOnly: boolean }[]; securityContext: { capabilities: { add: string[] } } }[];
    };
  };
  assert.equal(pod.spec.automountServiceAccountToken, false);
  assert.equal(pod.spec.hostNetwork, undefined);
  assert.deepEqual(
    pod.spec.containers.map(({ volumeMounts, securityContext }) => [
      volumeMounts.map(({ readOnly }) => readOnly),
      securityContext.capabilities.add,
    ]),
    [[[true], ["DAC_OVERRIDE"]]],
  );
});
