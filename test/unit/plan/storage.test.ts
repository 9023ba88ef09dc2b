import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultReplicas,
  defaultStorageClass,
  schedules,
  storageClassParameters,
  tiers,
} from "../../../components/plan/storage.ts";

test("by default a volume survives the loss of a node where there is more than one", () => {
  assert.deepEqual([1, 2, 3, 5].map(defaultReplicas), [1, 2, 2, 2]);
});

test("exactly one class is the default, and it is the one that the guests' datastores use", () => {
  assert.deepEqual(
    tiers.filter((tier) => tier.isDefault).map((tier) => tier.storageClass),
    [defaultStorageClass],
  );
});

test("no class fixes the number of copies, which could then never be changed", () => {
  for (const tier of tiers) {
    assert.equal(storageClassParameters(tier)["numberOfReplicas"], undefined);
  }
});

test("volumes of every tier, and volumes of none, get snapshots and backups", () => {
  const groups = ["default", ...tiers.map((tier) => tier.group)];
  for (const task of ["snapshot", "backup"] as const) {
    const covered = schedules.filter((schedule) => schedule.task === task).flatMap((schedule) => schedule.groups);
    assert.deepEqual([...covered].sort(), [...groups].sort(), task);
  }
});

test("a tier's class puts its volumes into the tier's group", () => {
  for (const tier of tiers) {
    const selector: unknown = JSON.parse(storageClassParameters(tier)["recurringJobSelector"] ?? "");
    assert.deepEqual(selector, [{ name: tier.group, isGroup: true }]);
  }
});

test("schedules are what Longhorn accepts: names of 40 characters, retention up to its maximum of 100", () => {
  for (const { name, task, retain } of schedules) {
    assert.ok(name.length <= 40, name);
    const keepsNothing = task === "filesystem-trim" || task === "snapshot-cleanup";
    assert.ok(keepsNothing ? retain === 0 : retain >= 1 && retain <= 100, `${name} retains ${retain}`);
  }
  assert.equal(new Set(schedules.map(({ name }) => name)).size, schedules.length);
});

test("no two schedules start in the same minute of an hour", () => {
  const minutes = schedules.map(({ cron }) => `${cron.split(" ")[0] ?? ""} ${cron.split(" ")[1] ?? ""}`);
  assert.equal(new Set(minutes).size, minutes.length);
});
