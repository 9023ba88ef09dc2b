import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mebibytes, millicpu } from "../../../components/plan/quantity.ts";
import { k3kOverhead, quotaHard, sizes, tenantTotal, type Size } from "../../../components/plan/size.ts";

const size = fc.constantFrom(...(Object.keys(sizes) as Size[]));
const nodes = fc.integer({ min: 1, max: 100 });

test("what K3k needs on three nodes and on one, added up by hand", () => {
  // Server, three kubelets and CoreDNS at 100m each, five solvers at 10m.
  // 1Gi, three times 128Mi, 70Mi, and five times 64Mi.
  assert.deepEqual(k3kOverhead(3), {
    millicpu: 550,
    memoryMebibytes: 1798,
    storageMebibytes: 5120,
    pods: 10,
  });
  assert.deepEqual(k3kOverhead(1), {
    millicpu: 350,
    memoryMebibytes: 1542,
    storageMebibytes: 5120,
    pods: 8,
  });
});

test("of any size, on any number of nodes, the size's whole allowance is left after K3k's own pods", () => {
  fc.assert(
    fc.property(size, nodes, (name, count) => {
      const total = tenantTotal(name, count);
      const overhead = k3kOverhead(count);
      for (const key of ["millicpu", "memoryMebibytes", "storageMebibytes", "pods"] as const) {
        assert.equal(total[key] - overhead[key], sizes[name][key]);
      }
    }),
  );
});

test("the quota enforces exactly the total", () => {
  fc.assert(
    fc.property(size, nodes, (name, count) => {
      const total = tenantTotal(name, count);
      const hard = quotaHard(total, []);
      assert.equal(millicpu(hard["requests.cpu"] ?? ""), total.millicpu);
      assert.equal(mebibytes(hard["requests.memory"] ?? ""), total.memoryMebibytes);
      assert.equal(mebibytes(hard["requests.storage"] ?? ""), total.storageMebibytes);
      assert.equal(Number(hard["pods"]), total.pods);
    }),
  );
});

test("what the operator wrote replaces only what it names", () => {
  const total = tenantTotal("small", 3, { memory: "16Gi" });
  assert.deepEqual(total, { ...tenantTotal("small", 3), memoryMebibytes: 16384 });
});

test("no quota on limits, which K3k would divide by the number of nodes; no port of a node, no load balancer", () => {
  const hard = quotaHard(tenantTotal("small", 3), ["longhorn"]);
  assert.deepEqual(
    Object.keys(hard).filter((key) => key.startsWith("limits.")),
    [],
  );
  assert.equal(hard["services.nodeports"], "0");
  assert.equal(hard["services.loadbalancers"], "0");
  assert.equal(hard["longhorn.storageclass.storage.k8s.io/requests.storage"], "0");
});
