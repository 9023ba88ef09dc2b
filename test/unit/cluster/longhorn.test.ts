import assert from "node:assert/strict";
import { test } from "node:test";
import { isStandby, isWhole, newestBackup, restoreFailure } from "../../../cluster/longhorn.ts";
import type { Backup, Volume } from "../../../cluster/objects.ts";

const fromBackup = "s3://kraft-backup@eu-central-2/homelab/?backup=backup-1&volume=pvc-1";
const restored = { state: "detached", restoreInitiated: true, restoreRequired: false } as const;

function volume(status: Volume["status"], spec: Volume["spec"] = { fromBackup }): Volume {
  return { metadata: { name: "pvc-1" }, spec, status };
}

test("a volume is whole once every sign of its restore says so, and not before", () => {
  const cases: readonly (readonly [string, Volume, boolean])[] = [
    ["made empty, not yet looked at", volume(undefined, {}), true],
    ["made empty, in use", volume({ state: "attached" }, { fromBackup: "" }), true],
    ["made empty, if its spec is right, and being restored", volume({ restoreRequired: true }, {}), false],
    ["not yet looked at", volume(undefined), false],
    ["a status without a word of the restore", volume({}), false],
    [
      "a status that another controller wrote first",
      volume({ state: "", restoreInitiated: false, restoreRequired: false }),
      false,
    ],
    ["being created", volume({ state: "creating", restoreInitiated: false, restoreRequired: false }), false],
    ["being created, and said to be restored", volume({ ...restored, state: "creating" }), false],
    ["never begun, and nothing required", volume({ state: "detached", restoreRequired: false }), false],
    ["begun, and nothing said of its end", volume({ state: "detached", restoreInitiated: true }), false],
    ["while it downloads", volume({ ...restored, state: "attached", restoreRequired: true }), false],
    ["failed", volume({ ...restored, robustness: "faulted", restoreRequired: true }), false],
    ["follows another", volume({ ...restored, isStandby: true }, { fromBackup, Standby: true }), false],
    ["is to follow, and does not yet", volume(restored, { fromBackup, Standby: true }), false],
    ["brought to life, its last backup still to come", volume({ ...restored, isStandby: true }), false],
    ["brought to life", volume({ ...restored, isStandby: false }), true],
    ["restored, and let go", volume(restored), true],
    ["restored, and not let go yet", volume({ ...restored, state: "detaching" }), true],
    ["restored, and in use", volume({ ...restored, state: "attached", robustness: "healthy" }), true],
    ["restored, and broken since", volume({ ...restored, robustness: "faulted" }), true],
  ];
  for (const [name, given, expected] of cases) {
    assert.equal(isWhole(given), expected, name);
  }
});

test("only a volume that is told to follows another", () => {
  assert.equal(isStandby(volume(restored, { fromBackup, Standby: true })), true);
  assert.equal(isStandby(volume(restored, { fromBackup, Standby: false })), false);
  assert.equal(isStandby(volume({ ...restored, isStandby: true })), false);
});

test("a restore has failed only while it is still required", () => {
  const failed = { type: "Restore", status: "False", reason: "RestoreFailure", message: "checksum of a block" };
  const cases: readonly (readonly [Volume["status"], string | undefined])[] = [
    [undefined, undefined],
    [{ restoreRequired: true, state: "attached", conditions: null }, undefined],
    [{ restoreRequired: true, conditions: [failed] }, "checksum of a block"],
    [{ restoreRequired: false, conditions: [failed] }, undefined],
    [{ restoreRequired: true, robustness: "faulted", state: "detaching" }, undefined],
    [{ restoreRequired: true, robustness: "faulted", state: "detached" }, "every copy of it is faulted"],
    [{ restoreRequired: false, robustness: "faulted", state: "detached" }, undefined],
  ];
  for (const [status, expected] of cases) {
    assert.equal(restoreFailure(volume(status)), expected, JSON.stringify(status));
  }
});

test("the newest backup is a complete one of that very volume that stays", () => {
  const backup = (
    name: string,
    snapshotCreatedAt: string,
    change: Backup["status"] = {},
    more: object = {},
  ): Backup => ({
    metadata: { name, ...more },
    status: { state: "Completed", volumeName: "pvc-1", snapshotCreatedAt, ...change },
  });
  const monday = backup("monday", "2026-11-23T00:00:00Z");
  const backups = [
    backup("tuesday", "2026-11-24T00:00:00Z"),
    monday,
    backup("of-another", "2026-11-25T00:00:00Z", { volumeName: "pvc-2" }),
    backup("uploading", "2026-11-26T00:00:00Z", { state: "InProgress" }),
    backup("going", "2026-11-27T00:00:00Z", {}, { deletionTimestamp: "2026-11-28T00:00:00Z" }),
  ];
  assert.equal(newestBackup(backups, "pvc-1")?.metadata.name, "tuesday");
  assert.equal(newestBackup([monday], "pvc-1"), monday);
  assert.equal(newestBackup(backups, "pvc-3"), undefined);
});
