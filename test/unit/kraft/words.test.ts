import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { schedules } from "../../../components/plan/storage.ts";
import { distance, duration, moment, timestamp } from "../../../kraft/moment.ts";
import { rhythm } from "../../../kraft/schedule.ts";

const hours = 3_600_000;

describe("schedules in words", () => {
  for (const [cron, words, every] of [
    ["7 * * * *", "every hour", 1],
    ["15 */6 * * *", "every 6 hours (00:15, 06:15, 12:15, 18:15 UTC)", 6],
    ["45 0 * * *", "every day at 00:45 UTC", 24],
    ["0 2 * * 6", "every Saturday at 02:00 UTC", 168],
    ["0 5 * * 0", "every Sunday at 05:00 UTC", 168],
  ] as const) {
    test(cron, () => {
      assert.deepEqual(rhythm(cron), { words, milliseconds: every * hours });
    });
  }

  test("every schedule of the platform has words", () => {
    for (const { name, cron } of schedules) {
      assert.match(rhythm(cron).words, /^every /, name);
    }
  });

  test("what would be said wrongly is refused", () => {
    for (const cron of ["* * * * *", "0 */5 * * *", "0 0 1 * *", "0 0 * * 7", "0 * * * 6", "0 1,2 * * *", ""]) {
      assert.throws(() => rhythm(cron), RangeError, cron);
    }
  });
});

test("moments and distances", () => {
  const now = new Date("2026-11-23T09:05:30Z");
  const after = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);
  assert.equal(moment(now), "2026-11-23 09:05 UTC");
  assert.equal(distance(after(-5 * hours), now), "5 h ago");
  assert.equal(distance(after(89.5 * 24 * hours), now), "in 89 days");
  assert.equal(duration(119 * 60_000), "119 min");
  assert.equal(duration(47 * hours), "47 h");
  assert.equal(duration(48 * hours), "2 days");
  assert.equal(timestamp(""), undefined);
  assert.equal(timestamp(null), undefined);
  assert.deepEqual(timestamp("2026-11-23T09:05:30Z"), now);
});
