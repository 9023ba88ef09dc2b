import assert from "node:assert/strict";
import { test } from "node:test";
import { startSeconds, startWarnings } from "../../../../infra/checks/start-time.ts";
import { tenant } from "./example.ts";

test("the time that was measured: 17 more tenants beside 13", () => {
  const seconds = startSeconds(30) - startSeconds(13);
  assert.ok(Math.abs(seconds - 228) < 10, String(seconds));
});

for (const [count, state, expected] of [
  [30, "active", undefined],
  [55, "active", undefined],
  [
    60,
    "active",
    /^60 tenants: from nothing, as in a rebuild, K3k needs about 17 min .* pulumi up waits 30 min at most\./,
  ],
  [60, "purged", undefined],
] as const) {
  test(`${count} tenants that are ${state}: ${expected === undefined ? "no warning" : "a warning"}`, () => {
    const tenants = Array.from({ length: count }, (_, index) => ({ ...tenant(`t${index}`), state }));
    const warnings = startWarnings({ tenants });
    assert.equal(warnings.length, expected === undefined ? 0 : 1);
    if (expected !== undefined) {
      assert.match(warnings[0]?.message ?? "", expected);
    }
  });
}
