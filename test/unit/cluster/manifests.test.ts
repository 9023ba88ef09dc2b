import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { groupLabel } from "../../../cluster/longhorn.ts";
import {
  claimManifest,
  type Manifest,
  persistentVolumeManifest,
  restoringLabel,
  volumeManifest,
} from "../../../cluster/manifests.ts";
import { storageClassParameters, tiers } from "../../../components/plan/storage.ts";
import { restorable } from "./restorable.ts";

const at = "2026-11-25T19:00:00.000Z";

function parametersOf(storageClass: string) {
  return storageClassParameters(tiers.find((tier) => tier.storageClass === storageClass) ?? assert.fail(storageClass));
}

const wanted = { ...restorable, parameters: parametersOf("kraft-standard") };

interface Shape {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

/** The object as it is sent. */
function sent({ object }: Manifest): Shape {
  return JSON.parse(JSON.stringify(object)) as Shape;
}

test("while it is restored a volume has one replica, and a group that no backup schedule has", () => {
  const { metadata, spec } = sent(volumeManifest(wanted));
  assert.deepEqual(metadata.labels, { [restoringLabel]: "enabled" });
  assert.deepEqual(spec, {
    size: "5368709120",
    fromBackup: wanted.backup.url,
    restoreVolumeRecurringJob: "disabled",
    numberOfReplicas: 1,
    staleReplicaTimeout: 2880,
    frontend: "blockdev",
    accessMode: "rwo",
    dataEngine: "v1",
    encrypted: false,
    revisionCounterDisabled: true,
    backupTargetName: "default",
    backupBlockSize: "2097152",
    dataLocality: "best-effort",
    unmapMarkSnapChainRemoved: "enabled",
  });
});

test("once complete it has its replicas and the groups of its class, and nothing else has changed", () => {
  for (const { storageClass, group } of tiers) {
    const volume = { ...restorable, parameters: parametersOf(storageClass) };
    const first = sent(volumeManifest(volume));
    const last = sent(volumeManifest(volume, { complete: { replicas: 3, size: "5368709120" } }));
    assert.deepEqual(last.metadata.labels, { [groupLabel(group)]: "enabled" });
    assert.deepEqual(last.spec, { ...first.spec, numberOfReplicas: 3 });
  }
});

describe("a volume that moves", () => {
  const { backupBlockSize: _, ...ordinary } = sent(volumeManifest(wanted)).spec;

  test("is a standby copy first, with the source's backup target and the block size of its backup", () => {
    const { metadata, spec } = sent(volumeManifest(wanted, { source: "homelab" }));
    assert.deepEqual(metadata.labels, { [restoringLabel]: "enabled" });
    assert.equal(metadata.annotations, undefined);
    assert.deepEqual(spec, { ...ordinary, Standby: true, frontend: "", backupTargetName: "homelab" });
  });

  test("is activated with the time of its move, still without any schedule", () => {
    const { metadata, spec } = sent(volumeManifest(wanted, { source: "homelab", activatedAt: at }));
    assert.deepEqual(metadata.labels, { [restoringLabel]: "enabled" });
    assert.deepEqual(metadata.annotations, { "kraft.dev/moved-at": at });
    assert.deepEqual(spec, { ...ordinary, Standby: false, backupTargetName: "homelab" });
  });

  test("is backed up like any other once it is complete", () => {
    const complete = { replicas: 2, size: "5368709120" };
    const { metadata, spec } = sent(volumeManifest(wanted, { source: "homelab", activatedAt: at, complete }));
    assert.deepEqual(metadata.labels, { [groupLabel("standard")]: "enabled" });
    assert.deepEqual(metadata.annotations, { "kraft.dev/moved-at": at });
    assert.deepEqual(spec, { ...ordinary, Standby: false, numberOfReplicas: 2 });
  });
});

test("volume and claim name each other and nobody else, and the claim has no owner", () => {
  const persistentVolume = sent(persistentVolumeManifest(wanted));
  assert.deepEqual(persistentVolume.spec["claimRef"], {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    namespace: "k3k-acme",
    name: wanted.claim,
  });
  assert.equal(persistentVolume.spec["persistentVolumeReclaimPolicy"], "Retain");
  const claim = sent(claimManifest(wanted));
  assert.equal(claim.spec["volumeName"], wanted.volume);
  assert.deepEqual(claim.metadata, {
    name: wanted.claim,
    namespace: "k3k-acme",
    labels: { "k3k.io/clusterName": "acme" },
    annotations: { "k3k.io/name": "data", "k3k.io/namespace": "default" },
  });
  assert.deepEqual(claim.spec["resources"], { requests: { storage: "5Gi" } });
});

test("nothing of Longhorn's is on the claim: tenants' claims may carry no orders to it", () => {
  assert.ok(!JSON.stringify(claimManifest(wanted).object).includes("longhorn.io"));
});

test("a drill's volume is in no schedule, has one replica, and everything of it carries the drill's label", () => {
  const drilled = { ...wanted, volume: "drill-acme-0", guest: null, isDrill: true };
  const label = { "kraft.dev/drill": "acme" };
  const { metadata, spec } = sent(volumeManifest(drilled));
  assert.deepEqual(metadata.labels, { ...label, [groupLabel("kraft-drill")]: "enabled" });
  assert.equal(spec["numberOfReplicas"], 1);
  assert.deepEqual(sent(persistentVolumeManifest(drilled)).metadata.labels, label);
  assert.deepEqual(sent(claimManifest(drilled)).metadata.labels, label);
});
