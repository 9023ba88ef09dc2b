import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tierNames } from "../../../../components/plan/storage.ts";
import type { BackupLoad } from "../../../../infra/checks/backup-window.ts";
import { inRestoreOrder, recoveries, recoveryProblems, recoveryTables } from "../../../../infra/checks/recovery.ts";
import { stack, tenant } from "./example.ts";

const line = { uplinkMbps: 50, downlinkMbps: 200, backupShare: 0.5, roundTripMs: 30 };
const three = [tenant("acme"), tenant("blue", { size: "medium", tier: "bulk" }), tenant("coral", { tier: "critical" })];
const load: BackupLoad = { stack: stack("homelab"), tenants: three, line, dailyChange: 0.02 };

test("a tenant of each tier, by hand", () => {
  const found = recoveries(load);
  // 3.125 MB/s up, and 18.75 MB/s down. Datastores are 5 GiB each; blue's is kept as standard.
  const gib = 1024 ** 3;
  const critical = 55 * gib * 0.005;
  const standard = 60 * gib * 0.02;
  const bulk = 150 * gib * 0.14;
  const up = (bytes: number): string => (bytes / 3_125_000 / 3600).toFixed(3);
  const down = (bytes: number): string => (bytes / 18_750_000 / 3600).toFixed(3);
  assert.deepEqual(
    found.map((row) => [row.tenant, row.snapshotHours, row.backupHours, row.uploadHours?.toFixed(3)]),
    [
      // Each of the two other runs is larger, so that it holds this one up by its own length.
      ["coral", 1, 6, up(3 * critical)],
      // Four runs of critical in a day are less than standard's own, the weekly one of bulk is more.
      ["acme", 1, 24, up(standard + 4 * critical + standard)],
      // 28 runs of critical and seven of standard in a week.
      ["blue", 24, 168, up(bulk + 28 * critical + 7 * standard)],
    ],
  );
  assert.deepEqual(
    found.map(({ aloneHours, houseHours }) => [aloneHours?.toFixed(3), ((houseHours ?? NaN) - 0.5).toFixed(3)]),
    [
      [down(55 * gib), down((15 + 50) * gib)],
      [down(55 * gib), down((15 + 100) * gib)],
      [down(155 * gib), down((15 + 250) * gib)],
    ],
  );
});

test("the table says it", () => {
  assert.deepEqual(recoveryTables(load), [
    {
      title: "What is lost at most, and how long until it is back once nodes run: tenants in the order of a restore",
      rows: [
        ["tenant", "tier", "lost by a slip", "lost with the house", "back alone", "back with all"],
        ["coral", "critical", "1 h", "6 h and 5 min", "52 min", "1.5 h"],
        ["acme", "standard", "1 h", "24 h and 20 min", "52 min", "2.3 h"],
        ["blue", "bulk", "24 h", "7 days and 3.5 h", "2.5 h", "4.7 h"],
      ],
    },
  ]);
});

test("without a line only the schedules speak, and without tenants nobody", () => {
  const { rows } = recoveryTables({ ...load, line: undefined })[0] ?? assert.fail();
  assert.deepEqual(rows[1], ["coral", "critical", "1 h", "6 h and the upload", "-", "-"]);
  assert.deepEqual(recoveryProblems({ ...load, line: undefined }), []);
  assert.deepEqual(recoveryTables({ ...load, tenants: [] }), []);
});

test("a tenant without volumes has no row, and its size holds nobody up", () => {
  const left = [tenant("gone", { state: "archived", size: "large" }), tenant("none", { state: "purged" })];
  assert.deepEqual(recoveries({ ...load, tenants: [...three, ...left] }), recoveries(load));
  const suspended = [tenant("acme", { state: "suspended" })];
  assert.equal(recoveries({ ...load, tenants: suspended }).length, 1);
});

test("restored are the critical first, within a tier by name", () => {
  const some = [tenant("b"), tenant("a"), tenant("c", { tier: "bulk" }), tenant("d", { tier: "critical" })];
  assert.deepEqual(
    inRestoreOrder(some).map(({ name }) => name),
    ["d", "a", "b", "c"],
  );
});

test("a tier whose backups are not out in time is refused, and the tenant named", () => {
  // 155 GiB x share / 4 x 3 / 3.125 MB/s: six hours are 54 % where the others have enough to do.
  const busy = (dailyChange: number): BackupLoad => ({
    ...load,
    tenants: [tenant("acme", { size: "large" }), tenant("coral", { size: "medium", tier: "critical" })],
    dailyChange,
  });
  // Without bulk two thirds of it: 155 GiB x share / 4 x 2: 81 %, when a day's change no longer fits into a day.
  assert.deepEqual(recoveryProblems(busy(0.4)), []);
  const problems = recoveryProblems(busy(0.82));
  assert.deepEqual(
    problems.map(({ key, allowed }) => [key, allowed]),
    [["kraft:tenants.coral.tier", "at most 6 h: otherwise a backup is not out when the next one is due"]],
  );
  assert.match(problems[0]?.fix ?? "", /^tier: standard, a smaller quota\.storage/);
  assert.deepEqual(recoveryProblems({ ...busy(0.82), line: { ...line, uplinkMbps: 60 } }), []);
});

test("on Saturdays bulk's week is on the line as well: a standard tier that then takes over a day is refused too", () => {
  const tenants = [
    tenant("acme", { size: "large" }),
    tenant("coral", { size: "large", tier: "critical" }),
    tenant("blue", { size: "large", tier: "bulk" }),
  ];
  // A day's change fits: 1215 GiB x 0.18 / 3.125 MB/s = 20.9 h.
  const problems = recoveryProblems({ ...load, tenants, dailyChange: 0.2 });
  assert.deepEqual(
    problems.map(({ key }) => key),
    [],
  );
});

const loads = fc.record({
  uplinkMbps: fc.double({ min: 1, max: 1000, noNaN: true }),
  downlinkMbps: fc.double({ min: 1, max: 1000, noNaN: true }),
  backupShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
  roundTripMs: fc.integer({ min: 1, max: 500 }),
});
const tenantLists = fc
  .array(
    fc.record({
      tier: fc.constantFrom(...tierNames),
      size: fc.constantFrom("small" as const, "medium" as const, "large" as const),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((some) => some.map((more, index) => tenant(`t${index}`, more)));
const changes = fc.double({ min: 0.001, max: 1, noNaN: true });
const factor = fc.double({ min: 0.1, max: 1, noNaN: true });

test("a slower line, a longer way or more change never shortens what is lost or how long it takes", () => {
  fc.assert(
    fc.property(loads, tenantLists, changes, factor, factor, factor, (some, tenants, dailyChange, up, down, far) => {
      const fast = { ...load, tenants, dailyChange, line: some };
      const slow = {
        ...some,
        uplinkMbps: some.uplinkMbps * up,
        downlinkMbps: some.downlinkMbps * down,
        roundTripMs: some.roundTripMs / far,
      };
      const before = recoveries(fast);
      for (const worse of [
        recoveries({ ...fast, line: slow }),
        recoveries({ ...fast, dailyChange: Math.min(1, dailyChange / up) }),
      ]) {
        for (const [index, row] of before.entries()) {
          const other = worse[index] ?? assert.fail();
          assert.equal(other.tenant, row.tenant);
          for (const hours of ["uploadHours", "aloneHours", "houseHours"] as const) {
            assert.ok((other[hours] ?? NaN) >= (row[hours] ?? NaN) * (1 - 1e-9), `${hours} of ${row.tenant}`);
          }
        }
      }
    }),
  );
});

test("one more tenant never shortens anything for the others", () => {
  fc.assert(
    fc.property(loads, tenantLists, changes, fc.constantFrom(...tierNames), (some, tenants, dailyChange, tier) => {
      const before = recoveries({ ...load, tenants, dailyChange, line: some });
      const after = recoveries({ ...load, tenants: [...tenants, tenant("more", { tier })], dailyChange, line: some });
      for (const row of before) {
        const other = after.find(({ tenant: name }) => name === row.tenant) ?? assert.fail();
        for (const hours of ["uploadHours", "aloneHours", "houseHours"] as const) {
          assert.ok((other[hours] ?? NaN) >= (row[hours] ?? NaN) * (1 - 1e-9), `${hours} of ${row.tenant}`);
        }
      }
    }),
  );
});
