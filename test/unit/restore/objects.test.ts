import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { storageClassParameters, tiers } from "../../../components/plan/storage.ts";
import { nextStep, type Live, type LiveVolume } from "../../../kraft/restore/live.ts";
import {
  claimManifest,
  groupLabel,
  persistentVolumeManifest,
  restoringGroup,
  volumeManifest,
} from "../../../kraft/restore/objects.ts";
import { restorePlan, type PlannedVolume } from "../../../kraft/restore/plan.ts";
import { catalogue, inputs, volume } from "./samples.ts";

const [, data] = restorePlan(catalogue([volume("acme", "datastore"), volume("acme", "data")]), inputs).order;
const planned: PlannedVolume = data ?? assert.fail("no volume");

function parametersOf(storageClass: string) {
  return storageClassParameters(tiers.find((tier) => tier.storageClass === storageClass) ?? assert.fail(storageClass));
}

interface Shape {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

describe("the objects", () => {
  test("while it restores a volume has one copy, and a group that no schedule is in", () => {
    const { metadata, spec } = volumeManifest(planned, parametersOf("kraft-standard")).object as unknown as Shape;
    assert.deepEqual(metadata.labels, { [groupLabel(restoringGroup)]: "enabled" });
    assert.deepEqual(spec, {
      size: "5368709120",
      fromBackup: planned.backup.url,
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

  test("in the end it has its copies and the groups of its class, and nothing else has changed", () => {
    for (const { storageClass, group } of tiers) {
      const parameters = parametersOf(storageClass);
      const first = volumeManifest(planned, parameters).object as unknown as Shape;
      const last = volumeManifest(planned, parameters, { replicas: 3, size: "5368709120" }).object as unknown as Shape;
      assert.deepEqual(last.metadata.labels, { [groupLabel(group)]: "enabled" });
      assert.deepEqual(last.spec, { ...first.spec, numberOfReplicas: 3 });
    }
  });

  test("volume and claim know each other and nobody else, and the claim has no owner", () => {
    const persistentVolume = persistentVolumeManifest(planned, parametersOf("kraft-standard"))
      .object as unknown as Shape;
    assert.deepEqual(persistentVolume.spec["claimRef"], {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace: "k3k-acme",
      name: planned.claim,
    });
    assert.equal(persistentVolume.spec["persistentVolumeReclaimPolicy"], "Retain");
    const claim = claimManifest(planned).object as unknown as Shape;
    assert.equal(claim.spec["volumeName"], planned.volume);
    assert.deepEqual(claim.metadata, {
      name: planned.claim,
      namespace: "k3k-acme",
      labels: { "k3k.io/clusterName": "acme" },
      annotations: { "k3k.io/name": "data", "k3k.io/namespace": "default" },
    });
    assert.deepEqual(claim.spec["resources"], { requests: { storage: "5Gi" } });
  });

  test("nothing of Longhorn's is on the claim: tenants' claims may carry no orders to it", () => {
    assert.ok(!JSON.stringify(claimManifest(planned).object).includes("longhorn.io"));
  });
});

describe("the next step", () => {
  const nothing: Live = { volume: undefined, persistentVolume: undefined, claim: undefined };
  const metadata = { name: planned.volume };
  const restoring = { ...metadata, labels: { [groupLabel(restoringGroup)]: "enabled" } };
  const ours = (status: LiveVolume["status"], meta: LiveVolume["metadata"] = restoring): LiveVolume => ({
    metadata: meta,
    spec: { fromBackup: planned.backup.url, size: "5368709120" },
    ...(status === undefined ? {} : { status }),
  });
  const whole = { state: "detached", restoreInitiated: true, restoreRequired: false };
  const persistentVolume = {
    metadata,
    spec: {
      csi: { driver: "driver.longhorn.io", volumeHandle: planned.volume },
      claimRef: { namespace: planned.namespace, name: planned.claim },
    },
    status: { phase: "Bound" },
  };
  const claim = {
    metadata: { name: planned.claim },
    spec: { volumeName: planned.volume },
    status: { phase: "Bound" },
  };
  const failed = {
    state: "detached",
    robustness: "faulted",
    restoreInitiated: true,
    conditions: [{ type: "Restore", reason: "RestoreFailure", message: "no space" }],
  };

  test("leads from nothing to a volume that is back", () => {
    const steps: readonly (readonly [Live, string])[] = [
      [nothing, "begin"],
      [{ ...nothing, volume: ours(undefined) }, "wait"],
      // Before Longhorn looked at it, both are false.
      [{ ...nothing, volume: ours({ state: "creating", restoreInitiated: false, restoreRequired: false }) }, "wait"],
      [{ ...nothing, volume: ours({ ...whole, restoreRequired: true, state: "attached" }) }, "wait"],
      [{ ...nothing, volume: ours({ ...whole, state: "detaching" }) }, "wait"],
      [{ ...nothing, volume: ours(whole) }, "bind"],
      [{ volume: ours(whole), persistentVolume, claim: undefined }, "bind"],
      [{ volume: ours(whole), persistentVolume, claim: { ...claim, status: { phase: "Pending" } } }, "wait"],
      [{ volume: ours(whole), persistentVolume, claim }, "finish"],
      [{ volume: ours(whole, metadata), persistentVolume, claim }, "done"],
      // A guest runs on it.
      [{ volume: ours({ ...whole, state: "attached" }, metadata), persistentVolume, claim }, "done"],
    ];
    for (const [live, step] of steps) {
      assert.equal(nextStep(planned, live).step, step, JSON.stringify(live));
    }
  });

  test("gives a volume that is still there back to its claim, and never fills it from a backup", () => {
    const standing: LiveVolume = { metadata, spec: {}, status: { state: "detached" } };
    const released = { ...persistentVolume, status: { phase: "Released" } };
    const available = { ...persistentVolume, status: { phase: "Available" } };
    const steps: readonly (readonly [Live, string])[] = [
      [{ volume: standing, persistentVolume: released, claim: undefined }, "free"],
      [{ volume: standing, persistentVolume: available, claim: undefined }, "claim"],
      [{ volume: standing, persistentVolume, claim: { ...claim, status: { phase: "Pending" } } }, "wait"],
      [{ volume: standing, persistentVolume, claim }, "done"],
    ];
    for (const [live, step] of steps) {
      assert.equal(nextStep(planned, live).step, step, JSON.stringify(live));
    }
  });

  test("never touches what came from elsewhere, and says what it is", () => {
    const foreign: readonly (readonly [Live, RegExp])[] = [
      [{ ...nothing, volume: { metadata, spec: {} } }, /exists and came from no backup/],
      [
        { ...nothing, volume: { metadata, spec: { fromBackup: `${planned.backup.url}0` } } },
        /exists and came from s3:/,
      ],
      [
        { ...nothing, volume: { ...ours(whole), metadata: { ...metadata, deletionTimestamp: "now" } } },
        /is being deleted/,
      ],
      [{ ...nothing, persistentVolume: { ...persistentVolume, spec: {} } }, /exists for something else/],
      [
        {
          ...nothing,
          persistentVolume: {
            ...persistentVolume,
            spec: { ...persistentVolume.spec, claimRef: { namespace: "k3k-blue", name: "x" } },
          },
        },
        /belongs to the claim k3k-blue\/x/,
      ],
      [
        {
          volume: ours(whole),
          persistentVolume: { ...persistentVolume, status: { phase: "Released" } },
          claim: undefined,
        },
        /is Released.*claimRef\/uid/,
      ],
      [{ ...nothing, claim: { ...claim, spec: {} } }, /exists without a volume/],
      [{ ...nothing, claim: { ...claim, spec: { volumeName: "pvc-other" } } }, /exists with the volume pvc-other/],
      [
        { volume: ours(whole), persistentVolume, claim: { ...claim, status: { phase: "Lost" } } },
        /has lost its volume/,
      ],
      [
        { ...nothing, volume: ours({ ...failed, restoreRequired: true }) },
        /could not restore it: no space; delete the volume/,
      ],
    ];
    for (const [live, reason] of foreign) {
      const step = nextStep(planned, live);
      assert.match(step.step === "refuse" ? step.reason : step.step, reason);
    }
  });

  test("a volume that was whole once is never called a failed restore, whatever became of it", () => {
    const live = { volume: ours({ ...failed, restoreRequired: false }, metadata), persistentVolume, claim };
    assert.equal(nextStep(planned, live).step, "done");
  });
});
