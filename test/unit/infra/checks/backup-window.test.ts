import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type BackupLoad,
  backupProblems,
  backupRate,
  backupTables,
  backupWarnings,
  hoursText,
  nightHours,
  uploads,
} from "../../../../infra/checks/backup-window.ts";
import { samples, stack, tenant } from "./example.ts";

/** The homelab's own line, with the defaults for the rest. */
const line = { uplinkMbps: 50, downlinkMbps: 200, backupShare: 0.5, roundTripMs: 30 };
const homelab: BackupLoad = { stack: stack("homelab"), tenants: samples, line, dailyChange: 0.02 };

test("half of 50 Mbit/s is 3.125 MB/s, and two workers get no more than 4.37 MB/s through at 30 ms", () => {
  assert.deepEqual(backupRate(line, 2, 1), { bytesPerSecond: 3_125_000, bound: "the line" });
  // 2 x 65536 bytes / 0.03 s.
  const far = backupRate({ ...line, backupShare: 1 }, 2, 1);
  assert.equal(far.bound, "round trips");
  assert.equal(Math.round(far.bytesPerSecond), 4_369_067);
});

test("what longhorn/longhorn#14005 measured over 240 ms is what the formula says", () => {
  const { bytesPerSecond } = backupRate({ ...line, uplinkMbps: 1000, roundTripMs: 240 }, 2, 1);
  // Measured: 0.5 MiB/s.
  assert.ok(Math.abs(bytesPerSecond / 1024 / 1024 - 0.5) < 0.05);
});

test("the homelab's sample tenants: 210 GiB, a first backup of 20 hours and 24 minutes a night", () => {
  const [acme, blue, all] = uploads(homelab, line);
  assert.ok(acme && blue && all);
  // 50 + 5 GiB and 150 + 5 GiB.
  assert.equal(acme.bytes, 55 * 1024 ** 3);
  assert.equal(blue.bytes, 155 * 1024 ** 3);
  // 225485783040 bytes / 3125000 = 72155 s = 0.835 days; 2 % of it in 1443 s = 0.401 h.
  assert.equal(all.bytes, 225_485_783_040);
  assert.equal(all.firstDays.toFixed(3), "0.835");
  assert.equal(all.nightlyHours.toFixed(3), "0.401");
  // 200 Mbit/s x 0.75 = 18.75 MB/s: 12026 s = 3.34 h.
  assert.equal(all.restoreHours.toFixed(2), "3.34");
  assert.deepEqual([backupProblems(homelab), backupWarnings(homelab)], [[], []]);
});

test("the tables say it", () => {
  assert.deepEqual(backupTables(homelab), [
    {
      title: "Backups at 25 Mbit/s, bound by the line, with 2 % of the volumes changed in a day",
      rows: [
        ["", "volumes", "first backup", "a night", "upload", "restore"],
        ["acme", "59.1 GB", "5.2 h", "1.2 GB", "6 min", "52 min"],
        ["blue", "166.4 GB", "14.8 h", "3.3 GB", "18 min", "2.5 h"],
        ["all", "225.5 GB", "20 h", "4.5 GB", "24 min", "3.3 h"],
      ],
    },
  ]);
});

test("without a line nothing is said", () => {
  const load = { ...homelab, line: undefined };
  assert.deepEqual(backupTables(load), []);
  assert.deepEqual([backupProblems(load), backupWarnings(load)], [[], []]);
});

test("the night is from the daily backup at 00:45 to the system backup at 06:00", () => {
  assert.equal(nightHours, 5.25);
});

test("a night that is too short is warned of, a day that is too short refused", () => {
  // 225.5 GB x share / 3.125 MB/s: 5.25 h are 26.2 % of it, 24 h would be 119.7 %.
  assert.deepEqual(backupWarnings({ ...homelab, dailyChange: 0.26 }), []);
  assert.deepEqual(backupWarnings({ ...homelab, dailyChange: 0.27 }), [
    {
      key: "backups",
      message: "a night's change of 60.9 GB takes 5.4 h to upload, and the night has 5.3 h: backups run into the day",
    },
  ]);
  // Half the line: 24 h are 59.9 %.
  const slow = { ...line, backupShare: 0.25 };
  assert.deepEqual(backupProblems({ ...homelab, line: slow, dailyChange: 0.59 }), []);
  const refused = { ...homelab, line: slow, dailyChange: 0.6 };
  assert.deepEqual(
    backupProblems(refused).map(({ key, found }) => [key, found]),
    [["kraft:line.dailyChange", "135.3 GB changed in a day, which take 24.1 hours at 12.5 Mbit/s, bound by the line"]],
  );
  assert.deepEqual(backupWarnings(refused), []);
});

test("a first backup of more than 30 days is refused", () => {
  // 3.125 MB/s x 30 days = 8.1 TB = 7543.7 GiB, 5 of them the guest's datastore.
  const of = (storage: string): BackupLoad => ({ ...homelab, tenants: [tenant("acme", { quota: { storage } })] });
  assert.deepEqual(backupProblems(of("7538Gi")), []);
  assert.deepEqual(
    backupProblems(of("7539Gi")).map(({ key, allowed }) => [key, allowed]),
    [["kraft:line", "at most 30 days"]],
  );
});

test("hours as a person says them", () => {
  assert.deepEqual([0, 0.001, 0.5, 1, 23.96, 47, 48, 168].map(hoursText), [
    "0 h",
    "1 min",
    "30 min",
    "1 h",
    "24 h",
    "47 h",
    "2 days",
    "7 days",
  ]);
});

const lines = fc.record({
  uplinkMbps: fc.double({ min: 0.1, max: 1000, noNaN: true }),
  downlinkMbps: fc.double({ min: 0.1, max: 1000, noNaN: true }),
  backupShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
  roundTripMs: fc.integer({ min: 1, max: 2000 }),
});

test("no backup is faster than the line or the round trips, and one of them binds", () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 8 }), (some, workers) => {
      const { bytesPerSecond } = backupRate(some, workers, 1);
      const bounds = [(some.uplinkMbps * 1e6 * some.backupShare) / 8, (workers * 65_536 * 1000) / some.roundTripMs];
      assert.ok(bounds.every((bound) => bytesPerSecond <= bound * (1 + 1e-9)));
      assert.ok(bounds.some((bound) => Math.abs(bytesPerSecond - bound) <= bound * 1e-9));
    }),
  );
});

test("all tenants take what each takes, one after the other", () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 0, max: 6 }), (some, count) => {
      const tenants = Array.from({ length: count }, (_, index) => tenant(`t${index}`));
      const rows = uploads({ ...homelab, tenants }, some);
      const all = rows.pop();
      const total = rows.reduce((sum, { nightlyHours }) => sum + nightlyHours, 0);
      assert.ok(Math.abs((all?.nightlyHours ?? NaN) - total) <= total * 1e-9);
    }),
  );
});
