import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultReplicas, schedules, storageClassParameters, storageTiers } from "../../../components/plan/storage.ts";

const hardware = fc
  .integer({ min: 1, max: 20 })
  .chain((nodes) => fc.record({ nodes: fc.constant(nodes), replicas: fc.integer({ min: 1, max: nodes }) }));

test("no tier has more copies than there are nodes, and critical volumes never fewer than standard ones", () => {
  fc.assert(
    fc.property(hardware, ({ nodes, replicas }) => {
      const tiers = storageTiers(replicas, nodes);
      const copies = (group: string) => tiers.find((tier) => tier.group === group)?.replicas ?? Number.NaN;
      assert.ok(tiers.every((tier) => tier.replicas >= 1 && tier.replicas <= nodes));
      assert.ok(copies("critical") >= copies("standard"));
    }),
  );
});

test("by default a volume survives the loss of a node where there is more than one", () => {
  assert.deepEqual([1, 2, 3, 5].map(defaultReplicas), [1, 2, 2, 2]);
});

test("exactly one class is the default, and the classes have the same names on all hardware", () => {
  const names = storageTiers(1, 1).map((tier) => tier.storageClass);
  fc.assert(
    fc.property(hardware, ({ nodes, replicas }) => {
      const tiers = storageTiers(replicas, nodes);
      assert.equal(tiers.filter((tier) => tier.isDefault).length, 1);
      assert.deepEqual(
        tiers.map((tier) => tier.storageClass),
        names,
      );
    }),
  );
});

test("volumes of every tier, and volumes of none, get snapshots and backups", () => {
  const groups = ["default", ...storageTiers(2, 3).map((tier) => tier.group)];
  for (const task of ["snapshot", "backup"] as const) {
    const covered = schedules.filter((schedule) => schedule.task === task).flatMap((schedule) => schedule.groups);
    assert.deepEqual([...covered].sort(), [...groups].sort(), task);
  }
});

test("a tier's class puts its volumes into the tier's group", () => {
  for (const tier of storageTiers(2, 3)) {
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
