import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tenantNameLimit, tenantNamePattern, tenantNames } from "../../../../components/plan/names.ts";

function namesOf(name: string): string[] {
  return Object.values<string>({ ...tenantNames(name) });
}

const tenant = fc.stringMatching(/^[a-z][a-z0-9]{0,32}$/);

test("every name that follows from an allowed tenant name is a DNS label that K3k does not cut", () => {
  fc.assert(
    fc.property(tenant, (name) => {
      assert.match(name, tenantNamePattern);
      for (const derived of namesOf(name)) {
        assert.match(derived, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
        assert.ok(derived.length <= 63, derived);
      }
    }),
  );
});

test("the limit is tight: one character more no longer fits", () => {
  assert.equal(tenantNames("a".repeat(tenantNameLimit)).datastoreClaim.length, 63);
});

test("no two tenants share a name of anything", () => {
  fc.assert(
    fc.property(tenant, tenant, (one, other) => {
      fc.pre(one !== other);
      const taken = new Set(namesOf(one));
      assert.deepEqual(
        namesOf(other).filter((name) => taken.has(name)),
        [],
      );
    }),
  );
});

test("a policy never has the name of a cluster, or K3k would delete the policy's NetworkPolicy at every reconcile", () => {
  fc.assert(fc.property(tenant, tenant, (one, other) => tenantNames(one).policy !== tenantNames(other).cluster));
});
