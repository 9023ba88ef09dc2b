import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { daysUntil, expiryTables, expiryWarnings } from "../../../../infra/checks/expiry.ts";

const today = new Date("2026-11-22T18:30:00Z");

/** A day so many days from today. */
function inDays(days: number): string {
  return new Date(Date.UTC(2026, 10, 22 + days)).toISOString().slice(0, 10);
}

test("a date is warned of from 30 days before, and loudly when past", () => {
  for (const [date, message] of [
    ["2026-12-23", undefined],
    ["2026-12-22", "expires in 30 days, on 2026-12-22"],
    ["2026-11-23", "expires in 1 day, on 2026-11-23"],
    ["2026-11-22", "expires TODAY, on 2026-11-22"],
    ["2026-11-21", "EXPIRED 1 day ago, on 2026-11-21: renew it now, and write the new date"],
    ["2025-11-22", "EXPIRED 365 days ago, on 2025-11-22: renew it now, and write the new date"],
  ] as const) {
    const expected = message === undefined ? [] : [{ key: "kraft:expiry.domain", message }];
    assert.deepEqual(expiryWarnings({ domain: date }, today), expected, date);
  }
});

test("the recovery kit is warned of when it was not checked for 90 days", () => {
  for (const [date, message] of [
    ["2026-11-22", undefined],
    // 22 days of November, 31 of October, 30 of September, and 7 of August.
    ["2026-08-24", undefined],
    ["2026-08-23", "last checked 91 days ago, on 2026-08-23: check it, and write today's date"],
    ["2026-11-23", "2026-11-23 is in the future: write the day on which you last checked the recovery kit"],
  ] as const) {
    const expected = message === undefined ? [] : [{ key: "kraft:expiry.recoveryKit", message }];
    assert.deepEqual(expiryWarnings({ recoveryKit: date }, today), expected, date);
  }
});

test("the table lists every date", () => {
  assert.deepEqual(expiryTables({ wasabiAccessKey: "2026-11-20", domain: "2027-01-31", today: "2026-11-22" }, today), [
    {
      title: "Dates",
      rows: [
        ["name", "date", ""],
        ["domain", "2027-01-31", "in 70 days"],
        ["today", "2026-11-22", "today"],
        ["wasabiAccessKey", "2026-11-20", "2 days ago"],
      ],
    },
  ]);
  assert.deepEqual(expiryTables({}, today), []);
});

test("days are counted whole, whatever the time of day", () => {
  const moment = fc.date({
    min: new Date("2026-11-22T00:00:00Z"),
    max: new Date("2026-11-22T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, fc.integer({ min: -2000, max: 2000 }), (now, days) => {
      assert.equal(daysUntil(inDays(days), now), days);
      assert.equal(expiryWarnings({ key: inDays(days) }, now).length, days <= 30 ? 1 : 0);
      assert.equal(expiryWarnings({ recoveryKit: inDays(-days) }, now).length, days > 90 || days < 0 ? 1 : 0);
    }),
  );
});
