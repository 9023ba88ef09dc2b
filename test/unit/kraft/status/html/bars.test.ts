import assert from "node:assert/strict";
import { test } from "node:test";
import { balanceBar } from "../../../../../kraft/status/html/capacity.ts";
import { certificateSection } from "../../../../../kraft/status/html/certificates.ts";
import type { Bar } from "../../../../../kraft/status/html/page.ts";
import { well } from "./sample.ts";

test("a bar of capacity is as long as what there is, or as what is needed where that is more", () => {
  const balance = { available: 10, platform: 1, k3k: 2, promised: 8, overcommit: 4 };
  const shares = ({ parts, marks }: Bar) => [parts.map(({ share }) => share), marks];
  const fits = balanceBar("CPU", balance);
  assert.deepEqual(shares(fits), [[0.1, 0.2, 0.2], [1]]);
  assert.equal(fits.alternative, "CPU: platform 10 %, K3k 20 %, tenants 20 % of what there is");
  const over = balanceBar("CPU", { ...balance, overcommit: 0.5, available: 9.5 });
  assert.deepEqual(shares(over), [[1 / 19, 2 / 19, 16 / 19], [0.5]]);
  assert.equal(over.alternative, "CPU: platform 11 %, K3k 21 %, tenants 168 % of what there is, more than fits");
  assert.deepEqual(shares(balanceBar("CPU", { ...balance, available: 0, platform: 0, k3k: 0, promised: 0 })), [
    [0, 0, 0],
    [0],
  ]);
});

test("the time line is as long as the longest certificate needs, marked at most eleven times", () => {
  const now = new Date(well.at);
  const lineOf = (...days: readonly number[]) => {
    const certificates = days.map((left) => ({
      namespace: "a",
      name: `c${left}`,
      hosts: [],
      ready: true,
      notAfter: new Date(now.getTime() + left * 86_400_000).toISOString(),
    }));
    const [table] = certificateSection({ ...well, certificates }, now).blocks;
    assert.ok(table !== undefined && "rows" in table);
    return table.rows.map((row) => {
      const { alternative, parts, marks } = row.at(-1) as Bar;
      return [alternative, parts[0]?.share, marks.length];
    });
  };
  assert.deepEqual(lineOf(60, -1, 0.5), [
    ["none: it has ended", 0, 1],
    ["0 of 60 days", 0.5 / 60, 1],
    ["60 of 60 days", 1, 1],
  ]);
  assert.deepEqual(lineOf(-5), [["none: it has ended", 0, 0]]);
  assert.deepEqual(lineOf(360), [["360 of 360 days", 1, 11]]);
  assert.deepEqual(lineOf(365), [["365 of 450 days", 365 / 450, 4]]);
  for (const days of [1, 29, 31, 400, 1100, 4000, 36_500, 2_900_000]) {
    for (const [, share, marks] of lineOf(days) as [string, number, number][]) {
      assert.ok(share > 0 && share <= 1 && marks <= 11, `${days} days`);
    }
  }
});
