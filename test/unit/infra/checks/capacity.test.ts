import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { longhornFigures } from "../../../../components/plan/longhorn-values.ts";
import {
  capacity,
  type CapacityLoad,
  capacityProblems,
  capacityTable,
  capacityWarnings,
  decisive,
  placeable,
  schedulable,
  use,
} from "../../../../infra/checks/capacity.ts";
import { samples, stack, tenant } from "./example.ts";

const homelab: CapacityLoad = {
  stack: stack("homelab"),
  tenants: samples,
  replicas: 2,
  overcommit: 4,
  entry: undefined,
};
const proliant: CapacityLoad = {
  stack: stack("proliant"),
  tenants: samples,
  replicas: 1,
  overcommit: 4,
  entry: undefined,
};

/** Gibibytes or CPUs to three decimals, which is more than the table shows. */
function close(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 0.0005, `${actual} is not ${expected}`);
}

test("MetalLB is counted exactly where the entrypoint has an address of its own", () => {
  const platform = (entry: string | undefined) => capacity({ ...homelab, entry }).map((row) => decisive(row).platform);
  const [cpu, memory, pods, volumes] = platform("192.168.1.250");
  const [cpuWithout, memoryWithout, podsWithout, volumesWithout] = platform(undefined);
  // With one node lost: two speakers and the controller, 20m and 48 MiB each.
  close(cpu, (cpuWithout ?? 0) + 0.06);
  close(memory, (memoryWithout ?? 0) + 144 / 1024);
  assert.equal(pods, (podsWithout ?? 0) + 3);
  assert.equal(volumes, volumesWithout);
});

test("three OptiPlexes with their sample tenants, one of them lost", () => {
  const [cpu, memory, pods, volumes] = capacity(homelab).map(decisive);
  assert.ok(cpu && memory && pods && volumes);
  // Two nodes of 4 CPU - 500m.
  close(cpu.available, 7);
  // On each node Traefik 100m and 12 % of 3500m for Longhorn; once CoreDNS and metrics-server 200m, K3k 50m,
  // cert-manager 2 x 20m + 2 x 10m + 10m: 2 x 520m + 320m.
  close(cpu.platform, 1.36);
  // A guest on two nodes: server and two kubelets 3 x 100m, CoreDNS 2 x 100m, solvers 5 x 10m. Two guests.
  close(cpu.k3k, 2 * 0.55);
  // small 2 CPU, medium 4 CPU, of which a quarter is counted: (1.36 + 1.1 + 1.5) / 7.
  close(cpu.promised, 6);
  close(use(cpu), 3.96 / 7);

  // Two nodes of 29196 MiB. On each 128 MiB and a gibibyte; once 140 + 128 + (2 x 144 + 96) + 10 x 64 MiB.
  close(memory.available, (2 * 29_196) / 1024);
  close(memory.platform, (2 * 1152 + 1292) / 1024);
  // A guest: 1024 + 2 x 128 + 2 x 70 + 5 x 64 = 1740 MiB.
  close(memory.k3k, (2 * 1740) / 1024);
  close(memory.promised, 14);

  // Two nodes of 110. On each 5 of the platform and one of k3s; once 2 of k3s, K3k, 5 of cert-manager, 10 of Longhorn.
  close(pods.available, 220);
  close(pods.platform, 2 * 6 + 18);
  // A guest: server, two kubelets, two CoreDNS, five solvers.
  close(pods.k3k, 2 * 10);
  close(pods.promised, 90);

  // Of 800 GiB Longhorn promises 90 % and fills 85 %: 680. Two nodes, each with one copy of everything.
  close(volumes.available, 2 * 680);
  // Datastores of 5 GiB, volumes of 50 and 150 GiB, each twice.
  close(volumes.k3k, 2 * 2 * 5);
  close(volumes.promised, 2 * 200);
  close(use(volumes), 420 / 1360);
});

test("one ProLiant has no node to lose", () => {
  const rows = capacity(proliant);
  assert.ok(rows.every(({ oneLost }) => oneLost === undefined));
  const [cpu, memory, , volumes] = rows.map(decisive);
  close(cpu?.available, 46);
  // Traefik 100m, Longhorn 4 % of 46, Talos 360m; CoreDNS 200m, K3k 50m, cert-manager 40m.
  close(cpu?.platform, 0.1 + 1.84 + 0.36 + 0.2 + 0.05 + 0.04);
  // 128 GiB - 4 GiB - 100 MiB.
  close(memory?.available, 126_876 / 1024);
  // 3000 GiB, of which 95 % may be promised and 90 % filled; one copy.
  close(volumes?.available, 2700);
  close(volumes?.promised, 200);
});

test("the sample tenants of every stack fit, without a warning", () => {
  const local: CapacityLoad = {
    stack: stack("local"),
    tenants: [tenant("acme"), tenant("blue", { size: "medium" }), tenant("coral")],
    replicas: 2,
    overcommit: 4,
    entry: undefined,
  };
  for (const load of [homelab, proliant, local]) {
    assert.deepEqual([capacityProblems(load), capacityWarnings(load)], [[], []], load.stack.name);
  }
});

test("the table says it in one line for each resource", () => {
  assert.deepEqual(capacityTable(homelab).rows, [
    ["", "all nodes", "one lost", "platform", "K3k", "tenants", "free", "used"],
    ["CPU", "10.5", "7", "1.4", "1.1", "1.5 (6/4)", "3", "57 %"],
    ["memory", "85.5 GiB", "57 GiB", "3.5 GiB", "3.4 GiB", "14 GiB", "36.1 GiB", "37 %"],
    ["pods", "330", "220", "30", "20", "22.5 (90/4)", "147.5", "33 %"],
    ["volumes, 2 copies", "2040 GiB", "1360 GiB", "0 GiB", "20 GiB", "400 GiB", "940 GiB", "31 %"],
  ]);
});

test("a tenant who could never use their CPU is refused, however much is promised to others", () => {
  // 10.5 less the platform's 3 x 520m + 320m and one guest on three nodes, 650m.
  const [problem, ...others] = capacityProblems({ ...homelab, tenants: [tenant("acme", { size: "large" })] });
  assert.deepEqual(others, []);
  assert.deepEqual(problem, {
    key: "kraft:tenants.acme",
    found: "8 CPU for this tenant alone",
    allowed: "at most 7.97 CPU: 10.5 less 1.88 of the platform and 0.65 of K3k",
    fix: "a smaller size, or quota: { cpu: 7 }",
  });
  const repaired = tenant("acme", { size: "large", quota: { cpu: "7" } });
  assert.deepEqual(capacityProblems({ ...homelab, tenants: [repaired] }), []);
});

test("memory is promised once: what fits on three nodes and not on two is refused", () => {
  // 57.02 GiB less 3.51 and 1.70 leaves 51.8 for one tenant.
  const of = (memory: string): CapacityLoad => ({ ...homelab, tenants: [tenant("acme", { quota: { memory } })] });
  assert.deepEqual(capacityProblems(of("51Gi")), []);
  assert.deepEqual(
    capacityProblems(of("52Gi")).map(({ key, found }) => [key, found]),
    [["kraft:tenants", "57.21 GiB of memory: platform 3.51, K3k 1.7, tenants 52"]],
  );
});

test("volumes are promised once, with every copy", () => {
  // 1360 GiB, two copies: 680 GiB, 5 of them the guest's datastore.
  const of = (storage: string): CapacityLoad => ({ ...homelab, tenants: [tenant("acme", { quota: { storage } })] });
  assert.deepEqual(capacityProblems(of("675Gi")), []);
  assert.equal(capacityProblems(of("676Gi"))[0]?.key, "kraft:tenants");
  // One copy: 1360 GiB.
  assert.deepEqual(capacityProblems({ ...of("1355Gi"), replicas: 1 }), []);
  assert.equal(capacityProblems({ ...of("1356Gi"), replicas: 1 }).length, 1);
});

test("warnings begin at 80 percent and end where it is refused", () => {
  // 80 % of 1360 GiB, two copies: 544 GiB, 5 of them the datastore.
  const of = (storage: string) => {
    const load: CapacityLoad = { ...homelab, tenants: [tenant("acme", { quota: { storage } })] };
    return capacityWarnings(load);
  };
  assert.deepEqual(of("538Gi"), []);
  assert.deepEqual(of("539Gi"), [
    { key: "capacity, volumes", message: "80 % used with one node lost: 1088 GiB of 1360 GiB" },
  ]);
  assert.deepEqual(of("676Gi"), []);
});

test("pods that one node cannot hold are warned of, not refused", () => {
  const load: CapacityLoad = { ...proliant, tenants: [tenant("acme", { size: "large" })] };
  assert.deepEqual(capacityProblems(load), []);
  // 110 less the platform's 5 + 5 + 2 + 1 + 3 + 6 and the guest's 9.
  assert.deepEqual(capacityWarnings(load), [
    {
      key: "kraft:tenants.acme",
      message:
        "promised 120 pods, of which 79 fit beside the platform and K3k at 110 pods a node: set quota.pods, or raise " +
        "maxPods of the kubelets",
    },
  ]);
});

test("of Longhorn's two rules the stricter counts", () => {
  const figures = longhornFigures(3, true);
  assert.equal(schedulable(800, figures), 680);
  assert.equal(schedulable(800, { ...figures, minimalAvailable: 5 }), 720);
  assert.equal(schedulable(800, { ...figures, minimalAvailable: 5, overProvisioning: 50 }), 360);
});

test("a large node does not help where copies have to lie apart", () => {
  assert.equal(placeable([100, 100, 100], 2), 300);
  assert.equal(placeable([1000, 100], 2), 200);
  assert.equal(placeable([1000, 100, 100], 2), 400);
  assert.equal(placeable([1000, 100], 1), 1100);
});

test("what is placeable can be placed, and nothing more", () => {
  const nodes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(nodes, fc.integer({ min: 1, max: 6 }), (sizes, wanted) => {
      const copies = Math.min(wanted, sizes.length);
      // Copies can be kept apart exactly if the nodes hold them with no more than one copy on each.
      const fits = (each: number) => sizes.reduce((sum, size) => sum + Math.min(size, each), 0) >= copies * each - 1e-6;
      const each = placeable(sizes, copies) / copies;
      assert.ok(fits(each));
      assert.ok(!fits(each * 1.001));
    }),
  );
});

const tenants = fc
  .uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 6 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.constantFrom("small", "medium", "large").map((size) => tenant(name, { size } as const)),
      ),
    ),
  );
const stackName = fc.constantFrom("homelab", "proliant", "local");

function loadOf(name: string, declared: CapacityLoad["tenants"]): CapacityLoad {
  return {
    stack: stack(name),
    tenants: declared,
    replicas: Math.min(2, stack(name).nodes.length),
    overcommit: 4,
    entry: undefined,
  };
}

test("one more tenant never leaves more free, and what was refused stays refused", () => {
  fc.assert(
    fc.property(stackName, tenants, (name, declared) => {
      const before = loadOf(name, declared);
      const after = loadOf(name, [...declared, tenant("more")]);
      const [some, more] = [capacity(before), capacity(after)].map((rows) => rows.map((row) => use(decisive(row))));
      assert.ok(some?.every((share, index) => share < (more?.[index] ?? 0)));
      assert.ok(capacityProblems(after).length >= capacityProblems(before).length);
    }),
  );
});

test("a stack is refused exactly if something does not fit, and the order of tenants and nodes changes nothing", () => {
  fc.assert(
    fc.property(stackName, tenants, (name, declared) => {
      const load = loadOf(name, declared);
      const problems = capacityProblems(load);
      const overloaded = capacity(load).filter((row) => use(decisive(row)) > 1);
      assert.equal(problems.filter(({ key }) => key === "kraft:tenants").length, overloaded.length);
      const turned = {
        ...load,
        tenants: declared.toReversed(),
        stack: { ...load.stack, nodes: load.stack.nodes.toReversed() },
      };
      assert.deepEqual(capacity(turned), capacity(load));
    }),
  );
});

test("the node that is lost is the one that is missed most", () => {
  const [first, second, third] = stack("homelab").nodes;
  assert.ok(first && second && third);
  const nodes = [first, { ...second, threads: 16, memoryGiB: 8 }, third];
  const [cpu, memory] = capacity({ ...homelab, stack: { ...homelab.stack, nodes } }).map(decisive);
  // Without the one of 16 threads; without one of 32 GiB.
  close(cpu?.available, 7);
  close(memory?.available, (29_196 + 8 * 1024 - 3572) / 1024);
});
