import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { schedules } from "../../../components/plan/storage.ts";
import { intervalHours, rhythm, scheduleTable } from "../../../infra/schedule.ts";
import { distance, duration, moment, timestamp } from "../../../kraft/cli/moment.ts";

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
      assert.equal(intervalHours(cron) * hours, rhythm(cron).milliseconds);
    }
  });

  test("a schedule that the words cannot describe is refused", () => {
    for (const cron of [
      "* * * * *",
      "0 */5 * * *",
      "0 0 1 * *",
      "0 0 * 2 *",
      "0 * * * 6",
      "0 1,2 * * *",
      "0 0 * * 1,2",
      "once",
      "",
    ]) {
      assert.throws(() => rhythm(cron), RangeError, cron);
    }
  });
});

describe("schedules on the operator's clock", () => {
  const shown = [
    { name: "hourly", task: "snapshot", cron: "7 * * * *", groups: ["standard"], retain: 24 },
    { name: "six-hourly", task: "backup", cron: "15 */6 * * *", groups: ["critical"], retain: 28 },
    { name: "daily", task: "backup", cron: "45 0 * * *", groups: ["default", "standard"], retain: 30 },
    { name: "weekly", task: "backup", cron: "30 23 * * 6", groups: [], retain: 0 },
  ];
  const from = new Date("2026-11-25T00:00:00Z");

  test("where clocks change in summer, the same run has two local times", () => {
    assert.deepEqual(scheduleTable(shown, "Europe/Berlin", from), {
      title: "Schedules: Longhorn runs them in UTC; times are those of Europe/Berlin",
      rows: [
        ["schedule", "cron in UTC", "UTC+1", "UTC+2", "volumes in", "kept"],
        ["hourly", "7 * * * *", "every hour, at :07", "every hour, at :07", "standard", "24"],
        ["six-hourly", "15 */6 * * *", "01:15, 07:15, 13:15, 19:15", "02:15, 08:15, 14:15, 20:15", "critical", "28"],
        ["daily", "45 0 * * *", "01:45", "02:45", "default, standard", "30"],
        ["weekly", "30 23 * * 6", "Sunday 00:30", "Sunday 01:30", "-", "-"],
      ],
    });
  });

  test("the present season comes first", () => {
    assert.deepEqual(scheduleTable(shown, "Europe/Berlin", new Date("2026-07-01T00:00:00Z")).rows[0]?.slice(2, 4), [
      "UTC+2",
      "UTC+1",
    ]);
  });

  test("a run can be on another day in local time, and zones can differ by parts of an hour", () => {
    const at = (zone: string): unknown => scheduleTable(shown, zone, from).rows.slice(2);
    assert.deepEqual(at("America/Phoenix"), [
      ["six-hourly", "15 */6 * * *", "05:15, 11:15, 17:15, 23:15", "critical", "28"],
      ["daily", "45 0 * * *", "17:45", "default, standard", "30"],
      ["weekly", "30 23 * * 6", "Saturday 16:30", "-", "-"],
    ]);
    assert.deepEqual(scheduleTable(shown, "Asia/Kathmandu", from).rows[3]?.slice(1, 3), ["45 0 * * *", "06:30"]);
    assert.equal(scheduleTable(shown, "Asia/Kathmandu", from).rows[1]?.[2], "every hour, at :52");
    assert.deepEqual(scheduleTable(shown, "America/Phoenix", from).rows[0]?.[2], "UTC-7");
    assert.deepEqual(scheduleTable(shown, "Asia/Kathmandu", from).rows[0]?.[2], "UTC+5:45");
    assert.deepEqual(scheduleTable(shown, "UTC", from).rows[0]?.[2], "UTC");
  });

  test("a job for every tier, and for volumes without one, is for all", () => {
    const groups = ["bulk", "critical", "default", "kraft-none", "standard"];
    const { rows } = scheduleTable([{ name: "trim", task: "", cron: "0 5 * * 0", groups, retain: 0 }], "UTC", from);
    assert.deepEqual(rows[1], ["trim", "0 5 * * 0", "Sunday 05:00", "all, kraft-none", "-"]);
  });

  test("a job made by hand has no words, and a missing one is marked", () => {
    const table = scheduleTable(
      [
        { name: "own", task: "backup", cron: "0 0 1 * *", groups: [], retain: 1 },
        { name: "gone", task: "backup", cron: "0 0 * * *", groups: [], retain: 1, present: false },
      ],
      "Europe/Berlin",
      from,
    );
    assert.deepEqual(table.rows.slice(1), [
      ["own", "0 0 1 * *", "-", "-", "-", "1"],
      ["gone", "MISSING", "-", "-", "-", "1"],
    ]);
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
