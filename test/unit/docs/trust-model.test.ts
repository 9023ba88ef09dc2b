import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { podSecurity } from "../../../components/plan/pod-security.ts";
import { attacks } from "../../cluster/boundary/attacks/attacks.ts";
import { destinations, senders } from "../../cluster/reachability/expected.ts";

/** Without line breaks and markup, which only prettier cares about. */
const page = readFileSync(new URL("../../../docs/trust-model.md", import.meta.url), "utf8").replace(/\s+/g, " ");
const all = Object.values(attacks).flat();

/** Items of the SIG multi-tenancy benchmark that an attack can test (kubernetes-sigs/multi-tenancy, config.yaml). */
const benchmark = [
  "MTB-PL1-CC-CPI-1",
  "MTB-PL1-BC-CPI-2",
  "MTB-PL1-BC-CPI-3",
  "MTB-PL1-BC-CPI-4",
  "MTB-PL1-BC-CPI-5",
  "MTB-PL1-BC-CPI-6",
  "MTB-PL1-CC-TI-1",
  "MTB-PL1-CC-TI-2",
  "MTB-PL1-BC-HI-1",
  "MTB-PL1-BC-HI-3",
  "MTB-PL1-BC-HI-4",
  "MTB-PL1-BC-HI-5",
  "MTB-PL1-CC-DI-1",
  "MTB-PL1-CC-FNS-1",
  "MTB-PL1-CC-FNS-2",
  "MTB-PL2-BC-OPS-3",
];

test("there are more than a hundred attacks, no two of them the same", () => {
  assert.ok(all.length >= 100, String(all.length));
  const sent = all.map(({ as, method, path, object }) => JSON.stringify([as, method, path, object]));
  assert.equal(new Set(sent).size, sent.length);
  assert.ok(all.every(({ refusal }) => refusal.length > 5));
});

test("every attack and every destination that the trust model names is one that is tested", () => {
  const known = new Set([
    ...all.map(({ name }) => name),
    ...destinations.map(({ name }) => name),
    // Groups of tests.
    "honest work",
    "in a real guest",
  ]);
  const named = [...page.matchAll(/_Tests:_(.*?)(?=###|## )/g)].flatMap(([, text = ""]) =>
    [...text.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name),
  );
  assert.ok(named.length >= 40, String(named.length));
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

test("every group of attacks stands behind a claim", () => {
  for (const group of Object.keys(attacks)) {
    assert.ok(page.includes(`attacks on ${group}`), group);
  }
});

test("the size of the matrix is the one that the trust model says", () => {
  const size = `${destinations.length} destinations and ${senders.length} senders`;
  assert.ok(page.includes(`the matrix of ${size}`), size);
});

test("every item of the benchmark has an attack, or a reason in the trust model why it has none", () => {
  const covered = new Set(all.flatMap(({ covers = [] }) => covers));
  const without = benchmark.filter((id) => !covered.has(id));
  assert.deepEqual(without, ["MTB-PL1-BC-CPI-4", "MTB-PL1-BC-CPI-6", "MTB-PL1-CC-DI-1", "MTB-PL2-BC-OPS-3"]);
  assert.ok(without.every((id) => page.includes(id)));
});

test("the trust model has every exception from restricted, with its reason", () => {
  const rows = [
    ...Object.values(podSecurity.traefik),
    ...Object.values(podSecurity.k3k),
    podSecurity.longhorn,
    podSecurity.tenant,
  ];
  for (const row of rows) {
    if (row.level !== "restricted") {
      assert.ok(page.includes(row.reason), row.reason);
    }
  }
});
