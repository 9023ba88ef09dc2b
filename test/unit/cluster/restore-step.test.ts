import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { restoringLabel } from "../../../cluster/manifests.ts";
import type { Volume } from "../../../cluster/objects.ts";
import { type Goal, type LiveObjects, nextStep, restoreErrors } from "../../../cluster/restore-step.ts";
import { movedAtAnnotation } from "../../../components/plan/lifecycle.ts";
import { target } from "../kraft/restore/samples.ts";
import { restorable } from "./restorable.ts";

const name = restorable.volume;
const restored: Goal = { is: "restored", replicas: 2 };
const drilled: Goal = { is: "drilled" };
const nothing: LiveObjects = {
  volume: undefined,
  persistentVolume: undefined,
  claim: undefined,
  isBackupKnown: true,
};
const metadata = { name };
const restoring = { name, labels: { [restoringLabel]: "enabled" } };
const whole = { state: "detached", restoreInitiated: true, restoreRequired: false };
const persistentVolume = {
  metadata,
  spec: {
    csi: { driver: "driver.longhorn.io", volumeHandle: name },
    claimRef: { namespace: restorable.namespace, name: restorable.claim },
  },
  status: { phase: "Bound" },
};
const claim = {
  metadata: { name: restorable.claim },
  spec: { volumeName: name },
  status: { phase: "Bound" },
};
const pending = { ...claim, status: { phase: "Pending" } };
const failed = {
  state: "detached",
  robustness: "faulted",
  restoreInitiated: true,
  conditions: [{ type: "Restore", reason: "RestoreFailure", message: "no space" }],
};

/** A volume that came from the very backup that is wanted. */
function ours(status?: Volume["status"], meta: Volume["metadata"] = restoring): Volume {
  return { metadata: meta, spec: { fromBackup: restorable.backup.url, size: "5368709120" }, status };
}

describe("a restore", () => {
  test("leads from nothing to a volume that is back", () => {
    const steps: readonly (readonly [Partial<LiveObjects>, string])[] = [
      [{}, "create"],
      [{ isBackupKnown: false }, "sync"],
      [{ volume: ours() }, "wait"],
      // Before Longhorn has looked at it, both are false.
      [{ volume: ours({ state: "creating", restoreInitiated: false, restoreRequired: false }) }, "wait"],
      [{ volume: ours({ ...whole, restoreRequired: true, state: "attached" }) }, "wait"],
      [{ volume: ours({ ...whole, state: "detaching" }) }, "wait"],
      [{ volume: ours(whole) }, "bind"],
      [{ volume: ours(whole), persistentVolume }, "claim"],
      [{ volume: ours(whole), persistentVolume, claim: pending }, "wait"],
      [{ volume: ours(whole), persistentVolume, claim }, "complete"],
      [{ volume: ours(whole, metadata), persistentVolume, claim }, "done"],
      // A guest runs on it.
      [{ volume: ours({ ...whole, state: "attached" }, metadata), persistentVolume, claim }, "done"],
    ];
    for (const [live, step] of steps) {
      assert.equal(nextStep(restorable, { ...nothing, ...live }, restored).step, step, JSON.stringify(live));
    }
  });

  test("gives a retained volume back to its claim, and never fills it from a backup", () => {
    const volume: Volume = { metadata, spec: {}, status: { state: "detached" } };
    const inPhase = (phase: string) => ({ ...persistentVolume, status: { phase } });
    const steps: readonly (readonly [Partial<LiveObjects>, string])[] = [
      [{ persistentVolume: inPhase("Released") }, "release"],
      [{ persistentVolume: inPhase("Available") }, "claim"],
      [{ persistentVolume, claim: pending }, "wait"],
      [{ persistentVolume, claim }, "done"],
    ];
    for (const [live, step] of steps) {
      assert.equal(nextStep(restorable, { ...nothing, volume, ...live }, restored).step, step, JSON.stringify(live));
      // What it holds would prove nothing of the backup.
      assert.equal(nextStep(restorable, { ...nothing, volume, ...live }, drilled).step, "refuse");
    }
  });

  test("restores under a PersistentVolume that outlived its volume, once it is freed for the claim", () => {
    const inPhase = (phase: string) => ({ ...persistentVolume, status: { phase } });
    assert.equal(nextStep(restorable, { ...nothing, persistentVolume: inPhase("Released") }, restored).step, "release");
    assert.equal(nextStep(restorable, { ...nothing, persistentVolume: inPhase("Available") }, restored).step, "create");
    const step = { ...nothing, volume: ours(whole), persistentVolume: inPhase("Available") };
    assert.equal(nextStep(restorable, step, restored).step, "claim");
    // The guest's StatefulSet was faster: Kubernetes gives its claim the volume that waits for it.
    const unbound = { ...pending, spec: {} };
    assert.equal(nextStep(restorable, { ...step, claim: unbound }, restored).step, "wait");
  });

  test("never touches what came from elsewhere, and says what it is", () => {
    const foreign: readonly (readonly [Partial<LiveObjects>, RegExp])[] = [
      [{ volume: { metadata, spec: {} } }, /exists and came from no backup/],
      [{ volume: { metadata, spec: { fromBackup: `${restorable.backup.url}0` } } }, /exists and came from s3:/],
      [{ volume: { ...ours(whole), metadata: { ...metadata, deletionTimestamp: "now" } } }, /is being deleted/],
      [{ persistentVolume: { ...persistentVolume, spec: {} } }, /exists for something else/],
      [
        {
          persistentVolume: {
            ...persistentVolume,
            spec: { ...persistentVolume.spec, claimRef: { namespace: "k3k-blue", name: "x" } },
          },
        },
        /belongs to the claim k3k-blue\/x/,
      ],
      [
        { volume: ours(whole), persistentVolume: { ...persistentVolume, status: { phase: "Released" } } },
        /is Released.*claimRef\/uid/,
      ],
      [{ claim: { ...claim, spec: {} } }, /exists without a volume/],
      [{ claim: { ...claim, spec: { volumeName: "pvc-other" } } }, /exists with the volume pvc-other/],
      [
        { volume: ours(whole), persistentVolume, claim: { ...claim, status: { phase: "Lost" } } },
        /has lost its volume/,
      ],
      [{ volume: ours({ ...failed, restoreRequired: true }) }, /could not restore it: no space; delete the volume/],
    ];
    for (const [live, reason] of foreign) {
      const step = nextStep(restorable, { ...nothing, ...live }, restored);
      assert.match(step.step === "refuse" ? step.reason : step.step, reason);
    }
  });

  test("a volume that was whole once is never called a failed restore, whatever became of it", () => {
    const live = { ...nothing, volume: ours({ ...failed, restoreRequired: false }, metadata), persistentVolume, claim };
    assert.equal(nextStep(restorable, live, restored).step, "done");
  });
});

describe("a drill", () => {
  const unscheduled = [{ type: "Scheduled", status: "False", message: "insufficient storage" }];
  const group = { name, labels: { "recurring-job-group.longhorn.io/kraft-drill": "enabled" } };
  for (const [what, live, step] of [
    ["makes a volume", {}, { step: "create" }],
    [
      "does not wait for ever for a disk",
      { volume: ours({ restoreInitiated: true, restoreRequired: true, conditions: unscheduled }) },
      { step: "wait", for: "a disk with room", said: "insufficient storage" },
    ],
    [
      "deletes a volume that failed itself",
      { volume: ours({ ...failed, restoreRequired: true }) },
      { step: "refuse", reason: "Longhorn could not restore it: no space" },
    ],
    ["binds what is whole", { volume: ours(whole, group) }, { step: "bind" }],
    [
      "is done with what is bound: its volume gets no schedule",
      { volume: ours(whole, group), persistentVolume, claim },
      { step: "done" },
    ],
  ] as const) {
    test(what, () => {
      assert.deepEqual(nextStep(restorable, { ...nothing, ...live }, drilled), step);
    });
  }
});

const at = "2026-11-25T19:00:00.000Z";
const copied: Goal = { is: "copied", source: "homelab" };
const moved: Goal = { is: "moved", source: "homelab", at, last: "backup-last", replicas: 2 };

function copy(change: {
  readonly spec?: Volume["spec"];
  readonly status?: Volume["status"];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}): Volume {
  const first = `${target}?backup=backup-first&volume=${name}`;
  return {
    metadata: { name, labels: change.labels ?? restoring.labels, annotations: change.annotations ?? {} },
    spec: { fromBackup: first, Standby: true, size: "5368709120", ...change.spec },
    status: { restoreInitiated: true, restoreRequired: true, isStandby: true, state: "attached", ...change.status },
  };
}

/** A copy that has restored one backup, while Longhorn knows of a newest. */
function following(lastRestoredBackup: string, newest: string): LiveObjects {
  return {
    ...nothing,
    volume: copy({ status: { lastBackup: newest } }),
    engine: { metadata, status: { lastRestoredBackup } },
    backupVolume: { metadata: { name: "bv" }, status: { lastBackupName: newest } },
  };
}

const active = { spec: { Standby: false }, annotations: { [movedAtAnnotation]: at } };
const ended = { isStandby: false, restoreRequired: false, state: "detached" };
const waits = { step: "wait", for: "the restore", said: "" } as const;

describe("a copy", () => {
  for (const [what, live, step] of [
    ["is made from a backup that Longhorn knows", nothing, { step: "create" }],
    [
      "waits for a backup that Longhorn does not know yet",
      { ...nothing, isBackupKnown: false },
      { step: "sync", for: restorable.backup.name },
    ],
    [
      "waits for Longhorn to begin",
      { ...nothing, volume: copy({ status: { restoreInitiated: false } }) },
      { step: "wait", for: "Longhorn to begin" },
    ],
    ["is not there before its first backup is", following("", "backup-first"), waits],
    ["that Longhorn knows no backup of is not there", following("", ""), waits],
    ["is there with the newest that is known", following("backup-2", "backup-2"), { step: "done" }],
  ] as const) {
    test(what, () => {
      assert.deepEqual(nextStep(restorable, live, copied), step);
    });
  }
});

describe("a cutover", () => {
  const volume = copy({ ...active, status: ended });
  for (const [what, live, step] of [
    ["makes the copy that was never made", {}, { step: "create" }],
    [
      "asks until Longhorn knows the last backup",
      following("backup-2", "backup-2"),
      { step: "sync", for: "backup-last" },
    ],
    ["waits until it is restored", following("backup-2", "backup-last"), waits],
    ["activates what has the last backup", following("backup-last", "backup-last"), { step: "activate" }],
    [
      "waits until Longhorn has ended the restore",
      { volume: copy({ ...active, status: { ...ended, restoreRequired: true } }) },
      waits,
    ],
    ["waits until nothing holds it", { volume: copy({ ...active, status: { ...ended, state: "attached" } }) }, waits],
    ["binds what is whole", { volume }, { step: "bind" }],
    [
      "waits for the binding",
      { volume, persistentVolume, claim: pending },
      { step: "wait", for: "its claim to be bound" },
    ],
    [
      "gives what is bound its replicas and schedules",
      { volume, persistentVolume, claim },
      { step: "complete", size: "5368709120" },
    ],
    [
      "is done with it",
      { volume: copy({ ...active, status: ended, labels: {} }), persistentVolume, claim },
      { step: "done" },
    ],
  ] as const) {
    test(what, () => {
      assert.deepEqual(nextStep(restorable, { ...nothing, ...live }, moved), step);
    });
  }
});

describe("a move leaves what is in its way as it is", () => {
  for (const [what, found, goal, reason] of [
    ["a volume that came from nowhere", { spec: { fromBackup: "" } }, copied, /came from no backup/],
    [
      "a volume of another target",
      { spec: { fromBackup: `s3://other@eu-central-2/homelab/?backup=b&volume=${name}` } },
      copied,
      /came from s3:\/\/other/,
    ],
    [
      "the copy of another volume",
      { spec: { fromBackup: `${target}?backup=b&volume=pvc-other` } },
      copied,
      /came from .*pvc-other/,
    ],
    ["an active copy, while copies are made", { ...active, status: ended }, copied, /an earlier move/],
    [
      "a copy that an earlier move activated",
      { ...active, annotations: { [movedAtAnnotation]: "2026-11-01T00:00:00.000Z" }, status: ended },
      moved,
      /an earlier move/,
    ],
    ["an active copy of no known move", { ...active, annotations: {}, status: ended }, moved, /an earlier move/],
    [
      "a copy that failed",
      { status: { restoreRequired: true, robustness: "faulted", state: "detached" } },
      copied,
      /could not restore it/,
    ],
  ] as const) {
    test(what, () => {
      const step = nextStep(restorable, { ...nothing, volume: copy(found) }, goal);
      assert.equal(step.step, "refuse");
      assert.match("reason" in step ? step.reason : "", reason);
    });
  }
});

test("what Longhorn says of copies that cannot follow, each thing once", () => {
  const denied = "AccessDenied: Access Denied";
  assert.equal(restoreErrors(undefined), "");
  assert.equal(restoreErrors({ metadata, status: { restoreStatus: null } }), "");
  const restoreStatus = {
    "tcp://a": { error: denied },
    "tcp://b": { error: denied },
    "tcp://c": { error: "" },
    d: null,
  };
  assert.equal(restoreErrors({ metadata, status: { restoreStatus } }), denied);
});

test("nothing is activated without the last backup, whatever Longhorn says", () => {
  const backup = fc.constantFrom(undefined, "", "backup-1", "backup-last");
  fc.assert(
    fc.property(backup, backup, backup, fc.boolean(), fc.boolean(), (last, known, done, initiated, standby) => {
      const live: LiveObjects = {
        ...nothing,
        volume: copy({ status: { restoreInitiated: initiated, isStandby: standby, lastBackup: last } }),
        engine: done === undefined ? undefined : { metadata, status: { lastRestoredBackup: done } },
        backupVolume: known === undefined ? undefined : { metadata: { name: "bv" }, status: { lastBackupName: known } },
      };
      const { step } = nextStep(restorable, live, moved);
      const ready = initiated && [last, known, done].every((seen) => seen === "backup-last");
      assert.equal(step === "activate", ready);
    }),
  );
});

describe("a retained volume that is bound again", () => {
  const bound: Goal = { is: "bound" };
  const volume: Volume = { metadata, spec: {}, status: { state: "detached" } };
  const inPhase = (phase: string) => ({ ...persistentVolume, status: { phase } });
  const unbound = { ...pending, spec: {} };
  for (const [what, live, expected] of [
    ["its PersistentVolume is Released", { volume, persistentVolume: inPhase("Released") }, "release"],
    ["it waits for its claim", { volume, persistentVolume: inPhase("Available") }, "claim"],
    ["a claim waits for it", { volume, persistentVolume: inPhase("Available"), claim: unbound }, "wait"],
    [
      "a claim waits, and it is still Released",
      { volume, persistentVolume: inPhase("Released"), claim: unbound },
      "release",
    ],
    ["the claim went a moment ago", { volume, persistentVolume }, "wait"],
    ["its PersistentVolume is gone", { volume }, "bind"],
    ["everything is there", { volume, persistentVolume, claim }, "done"],
    [
      "it was restored from some backup once",
      { volume: ours(whole, metadata), persistentVolume: inPhase("Released") },
      "release",
    ],
  ] as const) {
    test(what, () => {
      assert.equal(nextStep(restorable, { ...nothing, ...live }, bound).step, expected);
    });
  }
  for (const [what, live, expected] of [
    ["it is gone", { persistentVolume: inPhase("Released") }, /^Longhorn has no volume \S+ any more$/],
    [
      "it is being deleted",
      { volume: { ...volume, metadata: { name, deletionTimestamp: "now" } } },
      /is being deleted/,
    ],
    [
      "it is being restored",
      { volume: ours({ ...whole, restoreRequired: true }) },
      /^a backup is being restored into it$/,
    ],
    [
      "the claim has another",
      { volume, persistentVolume: inPhase("Released"), claim: { ...claim, spec: { volumeName: "other" } } },
      /exists with the volume other: it was left as it is$/,
    ],
    [
      "it is for another claim",
      {
        volume,
        persistentVolume: {
          ...persistentVolume,
          spec: { ...persistentVolume.spec, claimRef: { namespace: "k3k-blue", name: "data" } },
        },
      },
      /belongs to the claim k3k-blue\/data/,
    ],
  ] as const) {
    test(`never where ${what}`, () => {
      const step = nextStep(restorable, { ...nothing, ...live }, bound);
      assert.match(step.step === "refuse" ? step.reason : step.step, expected);
    });
  }
});

describe("a backup that is restored for a claim which has another volume still", () => {
  const filled: Goal = { is: "filled" };
  const other = { ...claim, spec: { volumeName: "other" } };
  for (const [what, live, expected] of [
    ["nothing is there", {}, "create"],
    ["it is being restored", { volume: ours({ ...whole, restoreRequired: true }) }, "wait"],
    ["Longhorn has not detached it yet", { volume: ours({ ...whole, state: "attached" }) }, "wait"],
    ["it is whole", { volume: ours(whole) }, "done"],
    [
      "it is whole, and reserved for the claim",
      { volume: ours(whole), persistentVolume: { ...persistentVolume, status: { phase: "Available" } } },
      "done",
    ],
    ["a volume of that name came from elsewhere", { volume: { metadata, spec: {} } }, "refuse"],
  ] as const) {
    test(what, () => {
      assert.equal(nextStep(restorable, { ...nothing, claim: other, ...live }, filled).step, expected);
    });
  }
});
