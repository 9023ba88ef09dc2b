import assert from "node:assert/strict";
import { test } from "node:test";
import { certManagerValues } from "../../../../components/plan/cert-manager-values.ts";
import { type LonghornFigures, longhornFigures, longhornValues } from "../../../../components/plan/longhorn-values.ts";
import { metallbValues } from "../../../../components/plan/metallb-values.ts";
import { cpuQuantity, mebibytes, millicpu } from "../../../../components/plan/size.ts";
import { traefikValues } from "../../../../components/plan/traefik-values.ts";
import { allocatable, platformNeed } from "../../../../infra/checks/figures.ts";
import { simulatedNode } from "../../../../local/simulated-nodes.ts";
import { stack } from "./example.ts";

interface Requests {
  readonly resources: { readonly requests: { readonly cpu: string; readonly memory: string } };
}

function requests({ resources }: Requests): { millicpu: number; memoryMebibytes: number } {
  return { millicpu: millicpu(resources.requests.cpu), memoryMebibytes: mebibytes(resources.requests.memory) };
}

const local = stack("local");
const noLonghorn: LonghornFigures = { ...longhornFigures(3, true), guaranteedInstanceManagerCpu: 0 };

test("a node gives to pods what its system does not keep", () => {
  const [optiplex, proliant] = [stack("homelab").nodes[0], stack("proliant").nodes[0]];
  assert.ok(optiplex && proliant);
  // 4 CPU - 500m; 32 GiB - 3 GiB - 500 MiB = 29196 MiB.
  assert.deepEqual(allocatable(optiplex, "k3s"), { millicpu: 3500, memoryMebibytes: 29_196, pods: 110 });
  // 48 CPU - 2; 128 GiB - 4 GiB - 100 MiB = 126876 MiB.
  assert.deepEqual(allocatable(proliant, "talos"), { millicpu: 46_000, memoryMebibytes: 126_876, pods: 110 });
});

test("a node smaller than what its system keeps gives nothing", () => {
  const tiny = { name: "tiny", model: "", threads: 1, memoryGiB: 2, longhornGiB: 10, watts: 5 };
  assert.deepEqual(allocatable(tiny, "talos"), { millicpu: 0, memoryMebibytes: 0, pods: 110 });
});

test("a simulated node is weighed as what it shows to Kubernetes", () => {
  for (const node of local.nodes) {
    const { status } = simulatedNode(node, local) as { status: { allocatable: Record<string, string> } };
    const own = allocatable(node, "embedded");
    assert.deepEqual(
      { cpu: status.allocatable["cpu"], memory: status.allocatable["memory"], pods: status.allocatable["pods"] },
      { cpu: cpuQuantity(own.millicpu), memory: `${own.memoryMebibytes / 1024}Gi`, pods: String(own.pods) },
    );
  }
});

test("the platform's figures are those that its charts are given", () => {
  const need = (nodes: number) =>
    platformNeed({ ...local, nodes: local.nodes.slice(0, nodes) }, noLonghorn, { entry: undefined });
  const traefik = requests(traefikValues({ namespace: "", exposure: "hostPort", entrypoint: "", imageTag: "" }));
  const values = certManagerValues({ namespace: "", nodes: 3 }) as unknown as Requests & {
    readonly replicaCount: number;
    readonly webhook: Requests & { readonly replicaCount: number };
    readonly cainjector: Requests;
  };
  const [controller, webhook, injector] = [values, values.webhook, values.cainjector].map(requests);
  assert.ok(controller && webhook && injector);
  const certManager =
    values.replicaCount * controller.millicpu + values.webhook.replicaCount * webhook.millicpu + injector.millicpu;
  // The fourth term is K3k's controller (components/k3k.ts).
  assert.equal(need(3).millicpu, 3 * traefik.millicpu + certManager + 50);
  // One more node: Traefik, and a gibibyte for Longhorn.
  assert.equal(need(3).memoryMebibytes - need(2).memoryMebibytes, traefik.memoryMebibytes + 1024);
});

test("MetalLB's figures are those that its chart is given", () => {
  const { controller, speaker } = metallbValues() as unknown as Record<"controller" | "speaker", Requests>;
  const need = (entry: string | undefined) => platformNeed(local, noLonghorn, { entry });
  const [one, each] = [controller, speaker].map(requests);
  assert.ok(one && each);
  const [without, together] = [need(undefined), need("192.168.1.250")];
  assert.equal(together.millicpu - without.millicpu, one.millicpu + 3 * each.millicpu);
  assert.equal(together.memoryMebibytes - without.memoryMebibytes, one.memoryMebibytes + 3 * each.memoryMebibytes);
  assert.equal(together.pods - without.pods, 4);
});

test("Longhorn's instance manager takes its percentage of what a node gives to pods", () => {
  const homelab = stack("homelab");
  const figures = longhornFigures(3, true);
  const without = platformNeed(homelab, { ...figures, guaranteedInstanceManagerCpu: 0 }, { entry: undefined });
  // 12 % of 3500m on each of three nodes.
  assert.equal(platformNeed(homelab, figures, { entry: undefined }).millicpu - without.millicpu, 3 * 420);
});

test("the figures of Longhorn that are calculated with are those that its chart is given", () => {
  for (const [name, expected] of [
    ["homelab", { overProvisioning: 100, minimalAvailable: 15, reserved: 10, guaranteedInstanceManagerCpu: 12 }],
    ["proliant", { overProvisioning: 100, minimalAvailable: 10, reserved: 5, guaranteedInstanceManagerCpu: 4 }],
  ] as const) {
    const { nodes, storage } = stack(name);
    assert.deepEqual(longhornFigures(nodes.length, storage.dedicatedDisk), { ...expected, backupWorkers: 2 });
    const { defaultSettings } = longhornValues({
      nodes: nodes.length,
      ...storage,
      replicas: 1,
      backupTarget: "s3://bucket@region/prefix/",
      backupCredentialSecret: "secret",
    }) as { readonly defaultSettings: Readonly<Record<string, unknown>> };
    assert.deepEqual(
      [
        defaultSettings["storageOverProvisioningPercentage"],
        defaultSettings["storageMinimalAvailablePercentage"],
        defaultSettings["storageReservedPercentageForDefaultDisk"],
        defaultSettings["guaranteedInstanceManagerCPU"],
        defaultSettings["backupConcurrentLimit"],
      ],
      [
        expected.overProvisioning,
        expected.minimalAvailable,
        expected.reserved,
        String(expected.guaranteedInstanceManagerCpu),
        2,
      ],
    );
  }
});
