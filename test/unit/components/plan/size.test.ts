import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  k3kOverhead,
  k3kQuota,
  limitRange,
  mebibytes,
  millicpu,
  objectQuota,
  podQuota,
  type QuotaOverride,
  readable,
  serverMemory,
  type Size,
  sizes,
  tenantAllowance,
} from "../../../../components/plan/size.ts";

const size = fc.constantFrom(...(Object.keys(sizes) as Size[]));
const nodes = fc.integer({ min: 1, max: 100 });
const override: fc.Arbitrary<QuotaOverride> = fc.record(
  {
    cpu: fc.integer({ min: 1, max: 64_000 }).map((thousandths) => `${thousandths}m`),
    memory: fc.integer({ min: 1, max: 200_000 }).map((amount) => `${amount}Mi`),
    storage: fc.integer({ min: 1, max: 4_000 }).map((amount) => `${amount}Gi`),
    pods: fc.integer({ min: 1, max: 500 }),
  },
  { requiredKeys: [] },
);

test("what K3k needs on three nodes and on one, added up by hand", () => {
  // Server, three kubelets and two CoreDNS at 100m each, five solvers at 10m.
  // 1Gi, three times 128Mi, two times 70Mi, and five times 64Mi.
  assert.deepEqual(k3kOverhead(3), { millicpu: 650, memoryMebibytes: 1868, storageMebibytes: 5120, pods: 11 });
  assert.deepEqual(k3kOverhead(1), { millicpu: 450, memoryMebibytes: 1612, storageMebibytes: 5120, pods: 9 });
});

test("of any size, on any number of nodes, what is printed is what is enforced", () => {
  fc.assert(
    fc.property(size, override, (name, written) => {
      const allowance = tenantAllowance(name, written);
      const printed = readable(allowance);
      const { hard } = podQuota(allowance);
      assert.equal(hard["requests.cpu"], printed.cpu);
      assert.equal(hard["requests.memory"], printed.memory);
      assert.equal(hard.pods, String(printed.pods));
      const volumes = mebibytes(objectQuota(allowance, {}).hard["requests.storage"] ?? "");
      assert.equal(volumes - mebibytes(printed.storage), k3kOverhead(1).storageMebibytes);
    }),
  );
});

test("of any size, on any number of nodes, K3k's own pods fit exactly, whatever the tenant runs", () => {
  fc.assert(
    fc.property(nodes, (count) => {
      const { hard } = k3kQuota(count);
      const needed = k3kOverhead(count);
      assert.equal(millicpu(hard["requests.cpu"]), needed.millicpu);
      assert.equal(mebibytes(hard["requests.memory"]), needed.memoryMebibytes);
    }),
  );
});

test("every pod counts in exactly one of the two quotas on pods", () => {
  const [own, k3k] = [podQuota(sizes.small), k3kQuota(3)].map((quota) => quota.scopeSelector.matchExpressions[0]);
  assert.deepEqual(own, { scopeName: "PriorityClass", operator: "In", values: ["kraft-tenant"] });
  assert.deepEqual(k3k, { ...own, operator: "NotIn" });
});

test("what the operator wrote replaces only what it names", () => {
  assert.deepEqual(tenantAllowance("small", { memory: "16Gi" }), { ...sizes.small, memoryMebibytes: 16384 });
});

test("no container and no volume may be larger than the allowance, and K3k's own always fit", () => {
  fc.assert(
    fc.property(size, override, (name, written) => {
      const allowance = tenantAllowance(name, written);
      const [container, claim] = limitRange(allowance);
      const memory = mebibytes(container?.max["memory"] ?? "");
      const storage = mebibytes(claim?.max["storage"] ?? "");
      assert.equal(memory, Math.max(allowance.memoryMebibytes, mebibytes(serverMemory)));
      assert.equal(storage, Math.max(allowance.storageMebibytes, k3kOverhead(1).storageMebibytes));
    }),
  );
});

test("no quota on limits, which K3k would divide by the number of nodes, and none but the tenant's own on pods", () => {
  const quotas = [podQuota(sizes.small), k3kQuota(3), objectQuota(sizes.small, { longhorn: "0" })];
  const keys = quotas.flatMap(({ hard }) => Object.keys(hard));
  assert.deepEqual(
    keys.filter((key) => key.startsWith("limits.")),
    [],
  );
  assert.deepEqual(
    keys.filter((key) => key === "pods"),
    ["pods"],
  );
});

test("no port of a node, no load balancer, no class without a schedule", () => {
  const { hard } = objectQuota(sizes.small, { longhorn: "0" });
  assert.equal(hard["services.nodeports"], "0");
  assert.equal(hard["services.loadbalancers"], "0");
  assert.equal(hard["longhorn.storageclass.storage.k8s.io/requests.storage"], "0");
});

test("a tenant with an Ingress for every certificate leaves room for those that cert-manager makes to issue them", () => {
  const { hard } = objectQuota(sizes.small, {});
  const most = (kind: string): number => Number(hard[`count/${kind}`]);
  const needed = most("certificates.cert-manager.io") + most("challenges.acme.cert-manager.io");
  assert.ok(most("ingresses.networking.k8s.io") >= needed);
  assert.ok(most("services") >= needed);
});
