import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { domainProblems } from "../../../../../infra/config/rules/domains.ts";

const label = fc.constantFrom("a", "b", "shop", "x-1");
const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => [...labels, "example"].join("."));
const owners = fc
  .uniqueArray(fc.constantFrom("acme", "blue", "coral", "delta"), { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({ name: fc.constant(name), domains: fc.array(domain, { minLength: 1, maxLength: 4 }) }),
      ),
    ),
  );

function nested(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}

test("domains are accepted exactly if no two of them, nor one and the platform's, are equal or nested", () => {
  fc.assert(
    fc.property(owners, domain, (tenants, platform) => {
      const all = tenants.flatMap(({ domains }) => domains);
      const clash =
        all.some((one, i) => all.some((other, j) => i !== j && nested(one, other))) ||
        all.some((one) => nested(one, platform));
      assert.equal(domainProblems(tenants, platform).length > 0, clash);
    }),
    { numRuns: 500 },
  );
});

test("a name that only ends like another is no overlap", () => {
  const tenants = [
    { name: "acme", domains: ["acme.example"] },
    { name: "evil", domains: ["evilacme.example"] },
  ];
  assert.deepEqual(domainProblems(tenants, "kraft.example"), []);
});

test("a domain named twice by one tenant is reported once", () => {
  const problems = domainProblems([{ name: "acme", domains: ["acme.example", "acme.example"] }], undefined);
  assert.deepEqual(
    problems.map(({ key }) => key),
    ["kraft:tenants.acme.domains[1]"],
  );
});

test("a thousand tenants are checked in well under a second", () => {
  const tenants = Array.from({ length: 1000 }, (_, n) => ({ name: `t${n}`, domains: [`t${n}.example`, `t${n}.test`] }));
  const start = performance.now();
  assert.deepEqual(domainProblems(tenants, "kraft.example"), []);
  assert.ok(performance.now() - start < 500);
});
