import assert from "node:assert/strict";
import { test } from "node:test";
import { countsForRun, deletionPermission } from "../../../../components/plan/deletion-permission.ts";
import { utcDay } from "../../../../components/plan/utc-day.ts";

test("a permission is the day in UTC", () => {
  const day = utcDay(new Date("2026-11-28T23:30:00-05:00"));
  assert.equal(day, "2026-11-29");
  assert.deepEqual(deletionPermission(day), { "kraft.dev/deletion-permitted-on": "2026-11-29" });
  assert.equal(deletionPermission(undefined), undefined);
});

const cases: readonly (readonly [now: string, counts: Readonly<Record<string, boolean>>])[] = [
  [
    "2026-11-28T12:00:00Z",
    { "2026-11-26": false, "2026-11-27": true, "2026-11-28": true, "2026-11-29": false, "": false, tomorrow: false },
  ],
  // A run of an hour would end on the day after.
  ["2026-11-28T23:00:00Z", { "2026-11-27": false, "2026-11-28": true, "2026-11-29": false }],
  ["2026-11-28T22:59:59Z", { "2026-11-27": true }],
  // As if the clock of the machine were behind.
  ["2026-11-28T00:00:00Z", { "2026-11-27": true, "2026-11-28": true, "2026-11-29": false }],
  ["2026-12-31T23:30:00Z", { "2026-12-30": false, "2026-12-31": true, "2027-01-01": false }],
];

for (const [now, counts] of cases) {
  test(`at ${now} a run may delete with ${JSON.stringify(counts)}`, () => {
    for (const [day, expected] of Object.entries(counts)) {
      assert.equal(countsForRun(day, new Date(now)), expected, day);
    }
    assert.equal(countsForRun(undefined, new Date(now)), false);
  });
}
