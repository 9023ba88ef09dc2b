import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { costs, costTables, storedTerabytes, type Subject } from "../../../../infra/checks/cost.ts";
import { samples, stack, tenant } from "./example.ts";

const prices = { currency: "EUR", perKilowattHour: 0.35, wasabiPerTerabyteMonth: 7.99 };
const homelab: Subject = { stack: stack("homelab"), tenants: samples, dailyChange: 0.02, prices };

test("three OptiPlexes and the least that Wasabi charges, by the sample tenants' allowances", () => {
  // Electricity: 3 x 15 W x 730.5 h x 0.35 = 11.505. acme has 2 of 6 CPU and 4 of 14 GiB: (1/3 + 2/7) / 2 = 13/42.
  // Wasabi: 225.5 GB x (1 + 90 x 2 %) = 0.631 TB, so 1 TB: 7.99. acme has 55 of 210 GiB.
  assert.deepEqual(costTables(homelab)[0]?.rows, [
    ["", "electricity", "Wasabi", "together"],
    ["acme", "3.56", "2.09", "5.65"],
    ["blue", "7.94", "5.90", "13.84"],
    ["all", "11.51", "7.99", "19.50"],
  ]);
});

test("what is deleted early is paid for 90 days", () => {
  assert.equal(storedTerabytes(1e12, 0), 1);
  assert.equal(storedTerabytes(1e12, 0.02).toFixed(6), "2.800000");
});

test("beyond a terabyte every one costs", () => {
  // 1000 + 5 GiB = 1.0791 TB, and 2.8 times that with what changed: 3.0215 TB x 7.99.
  const large = { ...homelab, tenants: [tenant("acme", { quota: { storage: "1000Gi" } })] };
  assert.equal(costs(large)[0]?.wasabi.toFixed(2), "24.14");
});

test("without prices, or without tenants, there is nothing to say", () => {
  assert.deepEqual(costTables({ ...homelab, prices: undefined }), []);
  assert.deepEqual(costTables({ ...homelab, tenants: [] }), []);
});

test("tenants pay all of it together, and the same whatever their order", () => {
  const sizes = fc.array(fc.constantFrom("small", "medium", "large"), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, (chosen) => {
      const tenants = chosen.map((size, index) => tenant(`t${index}`, { size }));
      const each = costs({ ...homelab, tenants });
      const electricity = each.reduce((sum, cost) => sum + cost.electricity, 0);
      assert.ok(Math.abs(electricity - 0.045 * 730.5 * 0.35) < 1e-9);
      const turned = costs({ ...homelab, tenants: tenants.toReversed() }).toReversed();
      for (const [index, cost] of each.entries()) {
        assert.ok(Math.abs(cost.wasabi - (turned[index]?.wasabi ?? NaN)) < 1e-9);
        assert.ok(Math.abs(cost.electricity - (turned[index]?.electricity ?? NaN)) < 1e-9);
      }
    }),
  );
});
