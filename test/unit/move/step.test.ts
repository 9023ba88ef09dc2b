import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { movedAtAnnotation } from "../../../components/plan/move.ts";
import { nextMoveStep, restoreErrors, type Goal, type LiveCopy, type StandbyVolume } from "../../../kraft/move/step.ts";
import { restorePlan } from "../../../kraft/restore/plan.ts";
import { catalogue, inputs, target, volume } from "../restore/samples.ts";

const [planned = assert.fail()] = restorePlan(catalogue([volume("acme", "datastore")]), inputs).order;
const name = planned.volume;
const at = "2026-11-25T19:00:00.000Z";
const copying: Goal = { phase: "copy" };
const cutting: Goal = { phase: "cutover", at, last: "backup-last" };

const restoring = { "recurring-job-group.longhorn.io/kraft-none": "enabled" };
const first = `${target}?backup=backup-first&volume=${name}`;

function copy(change: {
  readonly spec?: Partial<StandbyVolume["spec"]>;
  readonly status?: StandbyVolume["status"];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}): StandbyVolume {
  return {
    metadata: { name, labels: change.labels ?? restoring, annotations: change.annotations ?? {} },
    spec: { fromBackup: first, Standby: true, size: "5368709120", ...change.spec },
    status: { restoreInitiated: true, restoreRequired: true, isStandby: true, state: "attached", ...change.status },
  };
}

function live(change: Partial<LiveCopy> = {}): LiveCopy {
  return {
    volume: undefined,
    persistentVolume: undefined,
    claim: undefined,
    engine: undefined,
    backupVolume: undefined,
    backupKnown: true,
    ...change,
  };
}

/** A copy that has restored one backup, while Longhorn knows of a newest. */
function following(restored: string, newest: string): LiveCopy {
  return live({
    volume: copy({ status: { lastBackup: newest } }),
    engine: { status: { lastRestoredBackup: restored } },
    backupVolume: { metadata: { name: "bv" }, status: { lastBackupName: newest } },
  });
}

const alive = { spec: { Standby: false }, annotations: { [movedAtAnnotation]: at } };
const restored = { isStandby: false, restoreRequired: false, state: "detached" };
const bound = {
  persistentVolume: {
    metadata: { name },
    spec: {
      csi: { driver: "driver.longhorn.io", volumeHandle: name },
      claimRef: { namespace: planned.namespace, name: planned.claim },
    },
    status: { phase: "Bound" },
  },
  claim: { metadata: { name: planned.claim }, spec: { volumeName: name }, status: { phase: "Bound" } },
};

describe("a copy", () => {
  for (const [what, found, step] of [
    ["is made of a backup that Longhorn knows", live(), { step: "begin" }],
    [
      "of one that it does not know yet is asked for",
      live({ backupKnown: false }),
      { step: "ask", for: planned.backup.name },
    ],
    [
      "is waited for until Longhorn begins",
      live({ volume: copy({ status: { restoreInitiated: false } }) }),
      { step: "wait", for: "Longhorn to begin" },
    ],
    ["is not there before its first backup is", following("", "backup-first"), { step: "wait", for: "the restore" }],
    ["that Longhorn knows no backup of is not there", following("", ""), { step: "wait", for: "the restore" }],
    ["is there with the newest that is known", following("backup-2", "backup-2"), { step: "done" }],
  ] as const) {
    test(what, () => {
      assert.deepEqual(nextMoveStep(planned, found, copying), step);
    });
  }
});

describe("a cutover", () => {
  for (const [what, found, step] of [
    ["makes the copy that was never made", live(), { step: "begin" }],
    [
      "asks until Longhorn knows the last backup",
      following("backup-2", "backup-2"),
      { step: "ask", for: "backup-last" },
    ],
    ["waits until it is restored", following("backup-2", "backup-last"), { step: "wait", for: "the restore" }],
    ["brings to life what has the last backup", following("backup-last", "backup-last"), { step: "activate" }],
    [
      "waits until Longhorn has let go of it",
      live({ volume: copy({ ...alive, status: { ...restored, restoreRequired: true } }) }),
      { step: "wait", for: "the restore" },
    ],
    [
      "waits until nothing holds it",
      live({ volume: copy({ ...alive, status: { ...restored, state: "attached" } }) }),
      { step: "wait", for: "the restore" },
    ],
    ["binds what is whole", live({ volume: copy({ ...alive, status: restored }) }), { step: "bind" }],
    [
      "waits for the binding",
      live({
        volume: copy({ ...alive, status: restored }),
        ...bound,
        claim: { ...bound.claim, status: { phase: "Pending" } },
      }),
      { step: "wait", for: "its binding" },
    ],
    [
      "makes what is bound the cluster's own",
      live({ volume: copy({ ...alive, status: restored }), ...bound }),
      { step: "finish", size: "5368709120" },
    ],
    ["is done with it", live({ volume: copy({ ...alive, status: restored, labels: {} }), ...bound }), { step: "done" }],
  ] as const) {
    test(what, () => {
      assert.deepEqual(nextMoveStep(planned, found, cutting), step);
    });
  }
});

describe("what is in the way is left as it is", () => {
  for (const [what, found, goal, reason] of [
    ["a volume that came from nowhere", { spec: { fromBackup: "" } }, copying, /came from no backup/],
    [
      "a volume of another target",
      { spec: { fromBackup: `s3://other@eu-central-2/homelab/?backup=b&volume=${name}` } },
      copying,
      /came from s3:\/\/other/,
    ],
    [
      "the copy of another volume",
      { spec: { fromBackup: `${target}?backup=b&volume=pvc-other` } },
      copying,
      /came from .*pvc-other/,
    ],
    ["a copy that lives, while copies are made", { ...alive, status: restored }, copying, /from an earlier move/],
    [
      "a copy that lives by an earlier move",
      { ...alive, annotations: { [movedAtAnnotation]: "2026-11-01T00:00:00.000Z" }, status: restored },
      cutting,
      /from an earlier move/,
    ],
    [
      "a copy that lives by nobody's move",
      { ...alive, annotations: {}, status: restored },
      cutting,
      /from an earlier move/,
    ],
    [
      "a copy that failed",
      { status: { restoreRequired: true, robustness: "faulted", state: "detached" } },
      copying,
      /could not restore it/,
    ],
  ] as const) {
    test(what, () => {
      const step = nextMoveStep(planned, live({ volume: copy(found) }), goal);
      assert.equal(step.step, "refuse");
      assert.match("reason" in step ? step.reason : "", reason);
    });
  }
});

test("what Longhorn says of copies that cannot follow, each thing once", () => {
  const denied = "AccessDenied: Access Denied";
  assert.equal(restoreErrors(undefined), "");
  assert.equal(restoreErrors({ status: { restoreStatus: null } }), "");
  const restoreStatus = {
    "tcp://a": { error: denied },
    "tcp://b": { error: denied },
    "tcp://c": { error: "" },
    d: null,
  };
  assert.equal(restoreErrors({ status: { restoreStatus } }), denied);
});

test("nothing comes to life without the last backup, whatever Longhorn says", () => {
  const backup = fc.constantFrom(undefined, "", "backup-1", "backup-last");
  fc.assert(
    fc.property(backup, backup, backup, fc.boolean(), fc.boolean(), (last, known, done, initiated, standby) => {
      const found = live({
        volume: copy({
          spec: { Standby: true },
          status: {
            restoreInitiated: initiated,
            isStandby: standby,
            ...(last === undefined ? {} : { lastBackup: last }),
          },
        }),
        engine: done === undefined ? undefined : { status: { lastRestoredBackup: done } },
        backupVolume: known === undefined ? undefined : { metadata: { name: "bv" }, status: { lastBackupName: known } },
      });
      const { step } = nextMoveStep(planned, found, cutting);
      const ready = initiated && [last, known, done].every((seen) => seen === "backup-last");
      assert.equal(step === "activate", ready);
    }),
  );
});
