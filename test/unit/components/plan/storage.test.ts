import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  classLimits,
  defaultReplicas,
  defaultStorageClass,
  longestShift,
  noBackupGroup,
  scheduleOf,
  schedules,
  schedulesOf,
  storageClassLabels,
  storageClassParameters,
  tenantClasses,
  tierNames,
  tiers,
} from "../../../../components/plan/storage.ts";
import { tierNames as configured } from "../../../../infra/config/keys/tenant.ts";

test("by default a volume survives the loss of a node where there is more than one", () => {
  assert.deepEqual([1, 2, 3, 5].map(defaultReplicas), [1, 2, 2, 2]);
});

test("exactly one class is the default", () => {
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

test("a stack file knows the same tiers", () => {
  assert.deepEqual([...configured].sort(), [...tierNames].sort());
  assert.deepEqual(tiers.map(({ group }) => group).sort(), [...tierNames].sort());
});

test("a tenant may use its tier's class and those that are kept less well; no datastore is on bulk", () => {
  assert.deepEqual(
    tierNames.map((tier) => [tier, tenantClasses(tier)]),
    [
      [
        "bulk",
        {
          allowed: ["kraft-bulk"],
          forbidden: ["kraft-standard", "kraft-critical"],
          datastore: "kraft-standard",
          selector: { "kraft.dev/tier-bulk": "true" },
        },
      ],
      [
        "standard",
        {
          allowed: ["kraft-standard", "kraft-bulk"],
          forbidden: ["kraft-critical"],
          datastore: "kraft-standard",
          selector: { "kraft.dev/tier-standard": "true" },
        },
      ],
      [
        "critical",
        {
          allowed: ["kraft-standard", "kraft-critical", "kraft-bulk"],
          forbidden: [],
          datastore: "kraft-critical",
          selector: { "kraft.dev/tier-critical": "true" },
        },
      ],
    ],
  );
});

test("K3k's selector of a tier finds exactly the classes that the tier may use", () => {
  for (const name of tierNames) {
    const { allowed, selector } = tenantClasses(name);
    const found = tiers.filter((tier) => {
      const labels = storageClassLabels(tier);
      return Object.entries(selector).every(([key, value]) => labels[key] === value);
    });
    assert.deepEqual(
      found.map(({ storageClass }) => storageClass),
      allowed,
    );
  }
});

test("of a foreign class a tenant may claim nothing, but of the datastore's its datastore", () => {
  const ofLonghorn = { longhorn: "0", "longhorn-static": "0" };
  assert.deepEqual(
    tierNames.map((tier) => classLimits(tier, "5Gi")),
    [
      { "kraft-standard": "5Gi", "kraft-critical": "0", ...ofLonghorn },
      { "kraft-critical": "0", ...ofLonghorn },
      ofLonghorn,
    ],
  );
});

test("volumes of every tier, and volumes of none, get snapshots and backups", () => {
  for (const group of ["default", ...tierNames]) {
    for (const task of ["snapshot", "backup"] as const) {
      assert.ok(scheduleOf(group, task), `${task} of ${group}`);
    }
  }
});

test("of several schedules of a group the one that runs most often counts", () => {
  assert.equal(scheduleOf("critical", "backup")?.name, "backup-six-hourly");
  assert.equal(scheduleOf("standard", "backup")?.name, "backup-daily");
  assert.equal(scheduleOf("bulk", "backup")?.name, "backup-weekly");
});

test("every tier's backups reach back the 90 days that Wasabi charges for", () => {
  const [weekly, ...others] = schedules.filter(
    ({ task, groups }) => task === "backup" && ["default", ...tierNames].every((group) => groups.includes(group)),
  );
  assert.ok(weekly && others.length === 0);
  assert.equal(weekly.cron.split(" ")[4], "6");
  assert.ok(weekly.retain * 7 >= 90);
});

test("volumes that must not be backed up have a group of their own, and no job that keeps anything", () => {
  const jobs = schedules.filter(({ groups }) => groups.includes(noBackupGroup));
  assert.deepEqual(
    jobs.map(({ task }) => task),
    ["filesystem-trim"],
  );
});

test("the system backup makes no backups of volumes", () => {
  assert.deepEqual(schedules.find(({ task }) => task === "system-backup")?.parameters, {
    "volume-backup-policy": "disabled",
  });
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

/** Minutes of a week at which a cron expression of Kraft's forms starts; written anew, not with the library. */
function minutesOfWeek(cron: string): number[] {
  const [minute = "", hour = "", , , weekday = ""] = cron.split(" ");
  const field = (text: string, size: number): number[] => {
    const step = text === "*" ? 1 : Number(/^\*\/(\d+)$/.exec(text)?.[1] ?? NaN);
    return Number.isNaN(step) ? [Number(text)] : Array.from({ length: size / step }, (_, index) => index * step);
  };
  return field(weekday, 7).flatMap((day) =>
    field(hour, 24).map((hours) => day * 24 * 60 + hours * 60 + Number(minute)),
  );
}

/** Starts of all jobs in a week, and the fewest minutes between any two. */
function starts(some: readonly { readonly cron: string }[]): { readonly minutes: number[]; readonly gap: number } {
  const minutes = some.flatMap(({ cron }) => minutesOfWeek(cron)).sort((a, b) => a - b);
  const week = 7 * 24 * 60;
  const gaps = minutes.map((minute, index) => ((minutes[index + 1] ?? week + (minutes[0] ?? 0)) - minute) % week);
  return { minutes, gap: Math.min(...gaps) };
}

test("no two schedules of the plan start within seven minutes of each other", () => {
  const { minutes, gap } = starts(schedules);
  assert.equal(minutes.length, 168 + 7 + 28 + 7 + 1 + 1 + 7 + 7);
  assert.equal(gap, 7);
});

test("whatever the target, schedules stay as far apart, start at most 44 minutes later, and change nothing else", () => {
  const plan = starts(schedules);
  fc.assert(
    fc.property(fc.string(), (target) => {
      const own = schedulesOf(target);
      assert.deepEqual(own, schedulesOf(target));
      assert.deepEqual(
        own.map(({ cron: _cron, ...rest }) => rest),
        schedules.map(({ cron: _cron, ...rest }) => rest),
      );
      const { minutes, gap } = starts(own);
      assert.equal(gap, plan.gap);
      const shifts = new Set(minutes.map((minute, index) => minute - (plan.minutes[index] ?? NaN)));
      const [shift, ...others] = [...shifts];
      assert.ok(shift !== undefined && others.length === 0 && shift >= 0 && shift <= longestShift);
    }),
  );
});

test("different targets start at different minutes, and one target always at the same", () => {
  const daily = (target: string): string | undefined =>
    schedulesOf(target).find(({ name }) => name === "backup-daily")?.cron;
  const targets = Array.from({ length: 500 }, (_, index) => `s3://bucket-${index}@eu-central-2/homelab/`);
  assert.equal(new Set(targets.map(daily)).size, longestShift + 1);
  // Written down: a cluster's schedules must not wander with a version of Kraft.
  assert.equal(daily("s3://kraft-backup@eu-central-2/homelab/"), "8 1 * * *");
});
