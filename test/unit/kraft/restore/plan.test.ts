import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Style } from "../../../../kraft/cli/output.ts";
import { type RestoreInputs, restorePlan } from "../../../../kraft/restore/plan.ts";
import { planText } from "../../../../kraft/restore/text.ts";
import { catalogue, inputs, volume } from "./samples.ts";

const whole = catalogue([
  volume("acme", "data", { downloadBytes: 40e9 }),
  volume("acme", "datastore", { downloadBytes: 2e9 }),
  volume("blue", "datastore", { downloadBytes: 1e9 }),
  volume("blue", "small", { downloadBytes: 5e6 }),
]);

test("datastores first, then tenant by tenant; time and size by tenant and for all", () => {
  const plan = restorePlan(whole, inputs);
  assert.deepEqual(
    plan.order.map(({ volume: name }) => name),
    ["pvc-acme-datastore", "pvc-blue-datastore", "pvc-acme-data", "pvc-blue-small"],
  );
  assert.deepEqual(
    plan.tenants.map(({ name, downloadBytes, volumes }) => [name, downloadBytes, volumes.length]),
    [
      ["acme", 42e9, 2],
      ["blue", 1.005e9, 2],
    ],
  );
  // 42 GB at three quarters of 200 Mbit/s.
  assert.equal(plan.tenants[0]?.hours?.toFixed(3), (42e9 / 18.75e6 / 3600).toFixed(3));
  assert.deepEqual([plan.problems, plan.warnings, plan.left], [[], [], []]);
  assert.deepEqual(plan.order[3]?.guest, { name: "small", namespace: "default" });
  assert.equal(plan.order[0]?.guest, null);
});

test("the best tier comes first, as the preview's table says, and each tenant's small volumes before its large ones", () => {
  const tenants = inputs.tenants.map((tenant) =>
    tenant.name === "blue" ? { ...tenant, tier: "critical" as const } : tenant,
  );
  const volumes = [...whole.volumes, volume("blue", "large", { downloadBytes: 90e9 })];
  const { order } = restorePlan(catalogue(volumes), { ...inputs, tenants });
  assert.deepEqual(
    order.map(({ volume: name }) => name),
    ["pvc-blue-datastore", "pvc-acme-datastore", "pvc-blue-small", "pvc-blue-large", "pvc-acme-data"],
  );
});

test("the order is the same however the catalogue is sorted, and loses no volume", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 8 });
  const sizes = fc.array(fc.nat(1e6), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(names, sizes, fc.array(fc.nat(), { minLength: 9, maxLength: 9 }), (given, bytes, random) => {
      const volumes = ["datastore", ...given].map((name, index) =>
        volume("acme", name, { downloadBytes: bytes[index] ?? 0, sizeBytes: 1024 ** 3 }),
      );
      const shuffled = volumes
        .map((entry, index) => ({ entry, key: random[index] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }) => entry);
      const { order } = restorePlan(catalogue(volumes), inputs);
      assert.deepEqual(restorePlan(catalogue(shuffled), inputs).order, order);
      assert.deepEqual(
        new Set(order.map(({ volume: name }) => name)),
        new Set(volumes.map(({ volume: name }) => name)),
      );
      assert.equal(order[0]?.isDatastore, true);
      const rest = order.slice(1).map(({ downloadBytes }) => downloadBytes);
      assert.deepEqual(
        rest,
        [...rest].sort((a, b) => a - b),
      );
    }),
  );
});

test("every volume of the catalogue either comes back, or is said to stay and why", () => {
  const tenant = fc.constantFrom("acme", "blue", "gone");
  const state = fc.constantFrom("active", "suspended", "archived", "purged");
  const entry = fc.record({ tenant, leftOut: fc.boolean(), encrypted: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 10 }), state, (entries, ofAcme) => {
      const volumes = entries.map(({ tenant: name, encrypted }, index) =>
        volume(name, `data${index}`, { encrypted, sizeBytes: 1024 ** 3 }),
      );
      const leaveOut = volumes.filter((_, index) => entries[index]?.leftOut === true).map(({ volume: name }) => name);
      const [acme, blue] = inputs.tenants;
      const plan = restorePlan(catalogue(volumes), {
        ...inputs,
        tenants: [{ ...acme, state: ofAcme }, blue],
        leaveOut,
      } satisfies RestoreInputs);
      const there = [...plan.order, ...plan.left].map(({ volume: name }) => name).sort();
      assert.deepEqual(there, volumes.map(({ volume: name }) => name).sort());
    }),
  );
});

test("what belongs to nobody is a problem, until it is left out", () => {
  const stray = volume("gone", "data", { volume: "pvc-stray" });
  const plan = restorePlan(catalogue([...whole.volumes, stray]), inputs);
  assert.deepEqual(
    plan.problems.map(({ subject }) => subject),
    ["pvc-stray"],
  );
  assert.equal(plan.order.length, 4);
  const without = restorePlan(catalogue([...whole.volumes, stray]), { ...inputs, leaveOut: ["pvc-stray"] });
  assert.deepEqual(without.problems, []);
  assert.deepEqual(
    without.left.map(({ volume: name, reason }) => [name, reason]),
    [["pvc-stray", "kraft:leaveOut names it"]],
  );
});

test("what Kraft cannot bring back by itself is a problem and stays", () => {
  for (const [change, message] of [
    [{ storageClass: "longhorn" }, /^its storage class "longhorn" is none of Kraft's/],
    [{ encrypted: true }, /^it is encrypted/],
    [{ dataEngine: "v2" }, /^it is of the data engine v2/],
  ] as const) {
    const plan = restorePlan(catalogue([volume("acme", "datastore"), volume("acme", "data", change)]), inputs);
    assert.match(plan.problems[0]?.message ?? "", message);
    assert.equal(plan.order.length, 1);
    assert.equal(plan.left.length, 1);
  }
});

test("a tenant who is archived or purged stays in the bucket, one who is suspended comes back", () => {
  for (const [state, count] of [
    ["suspended", 2],
    ["archived", 0],
    ["purged", 0],
  ] as const) {
    const [acme, blue] = inputs.tenants;
    const plan = restorePlan(whole, { ...inputs, tenants: [{ ...acme, state }, blue] });
    assert.equal(plan.order.filter(({ tenant }) => tenant === "acme").length, count);
    assert.deepEqual(plan.problems, []);
  }
});

test("volumes that do not fit the quota are said before anything is downloaded", () => {
  const large = volume("acme", "data", { sizeBytes: 51 * 1024 ** 3 });
  const plan = restorePlan(catalogue([volume("acme", "datastore"), large]), inputs);
  assert.deepEqual(plan.refused, ["acme"]);
  assert.match(
    plan.problems[0]?.message ?? "",
    /^its volumes are 56Gi, and its quota allows 55Gi: raise quota\.storage/,
  );
  const critical = volume("acme", "data", { storageClass: "kraft-critical" });
  const above = restorePlan(catalogue([volume("acme", "datastore"), critical]), inputs);
  assert.match(
    above.problems[0]?.message ?? "",
    /^its volumes of kraft-critical are 5Gi, and its quota allows 0: give the/,
  );
  const many = Array.from({ length: 21 }, (_, index) => volume("acme", `data${index}`, { sizeBytes: 1024 ** 3 }));
  const crowded = restorePlan(catalogue([volume("acme", "datastore"), ...many]), inputs);
  assert.match(crowded.problems[0]?.message ?? "", /^it has 22 volumes, and its quota allows 21/);
});

test("backups of one tenant from different times are pointed out, each by its own schedule", () => {
  const created = (day: string) => ({ created: `2026-11-${day}T00:45:00.000Z` });
  const plan = restorePlan(
    catalogue([
      volume("acme", "datastore", created("22")),
      volume("acme", "data", created("24")),
      volume("acme", "weekly", { ...created("21"), storageClass: "kraft-bulk" }),
    ]),
    inputs,
  );
  assert.deepEqual(
    plan.warnings.map(({ subject, message }) => `${subject}: ${message.slice(0, 75)}`),
    [
      "tenant acme: the backups are of different times: its guest's own datastore (pvc-acme-dat",
      "tenant blue: has nothing in the backups: its guest starts empty",
    ],
  );
});

test("volumes without their guest's datastore are a problem: the guest would not know them", () => {
  const plan = restorePlan(catalogue([volume("acme", "data")]), inputs);
  assert.match(plan.problems[0]?.message ?? "", /^the backups have no varlibrancherk3s-k3k-acme-server-0/);
});

test("damage is a problem, whatever else comes back; what is left out cannot be damaged", () => {
  const damaged = [{ volume: "pvc-1", namespace: "k3k-acme", claim: "data", message: "its volume.cfg is missing" }];
  const found = catalogue(whole.volumes, { damaged });
  assert.deepEqual(restorePlan(found, inputs).problems, [
    { subject: "pvc-1 (k3k-acme/data)", message: "its volume.cfg is missing" },
  ]);
  assert.deepEqual(restorePlan(found, { ...inputs, leaveOut: ["pvc-1"] }).problems, []);
  assert.deepEqual(restorePlan(found, { ...inputs, tenant: "blue" }).problems, []);
});

test("a volume in leaveOut that no backup has is a slip of the pen", () => {
  assert.deepEqual(restorePlan(whole, { ...inputs, leaveOut: ["pvc-typo"] }).warnings, [
    { subject: "pvc-typo", message: "kraft:leaveOut names it, and the backups have no such volume" },
  ]);
});

test("only one tenant: nothing of the others is planned or complained of", () => {
  const plan = restorePlan(catalogue([...whole.volumes, volume("gone", "data")]), { ...inputs, tenant: "blue" });
  assert.deepEqual(
    plan.order.map(({ tenant }) => tenant),
    ["blue", "blue"],
  );
  assert.deepEqual([plan.problems, plan.tenants.length], [[], 1]);
});

test("the plan as text, to the letter", () => {
  const plan = restorePlan(catalogue([...whole.volumes, volume("gone", "data", { volume: "pvc-stray" })]), inputs);
  assert.deepEqual(planText(plan, "homelab", new Date("2026-11-24T20:00:00Z"), new Style(false)), [
    "homelab: what comes back from s3://kraft-backup@eu-central-2/homelab/",
    "",
    "Tenants",
    "  tenant  volumes  newest backup  oldest backup  download  on this line",
    "  acme    2        19 h ago       19 h ago       39.1 GiB  37 min",
    "  blue    2        19 h ago       19 h ago       958 MiB   1 min",
    "  all     4                                      40.1 GiB  38 min",
    "",
    "In this order",
    "  tenant  claim          volume              size   backup    kept  download",
    "  acme    datastore      pvc-acme-datastore  5 GiB  19 h ago  30    1.9 GiB",
    "  blue    datastore      pvc-blue-datastore  5 GiB  19 h ago  30    954 MiB",
    "  acme    default/data   pvc-acme-data       5 GiB  19 h ago  30    37.3 GiB",
    "  blue    default/small  pvc-blue-small      5 GiB  19 h ago  30    4.8 MiB",
    "",
    "Stays in the bucket",
    "  volume     claim                                                          because",
    "  pvc-stray  k3k-gone/data-default-gone-646174612b64656661756c742b676f6e65  the stack file has no tenant with the namespace k3k-gone",
    "",
    "1 thing is wrong",
    "  pvc-stray: is claim data-default-gone-646174612b64656661756c742b676f6e65 of namespace k3k-gone, which no tenant in the stack file has: add the tenant, or add the volume to kraft:leaveOut",
  ]);
});
