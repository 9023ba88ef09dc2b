import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LiveNode, readLiveNodes, sharedMachineLabel } from "../../../../cluster/live-nodes.ts";
import { hardwareProblems, hardwareWarnings } from "../../../../infra/guards/hardware.ts";
import type { Model } from "../../../../infra/model.ts";
import { simulatedNode } from "../../../../local/simulated-nodes.ts";
import { homelab } from "../../../../stacks/homelab.ts";
import { model } from "./example.ts";

const declared = model();

function reported(node: Model["nodes"][number], change: Partial<LiveNode> = {}): LiveNode {
  const { name, address, threads, longhornGiB } = node;
  // What Linux has of 32 GiB in an OptiPlex, and df of a volume of 800 GiB.
  return { name, addresses: [address], threads, memoryGiB: 31.1, longhornGiB: longhornGiB * 0.983, ...change };
}

/** All nodes, the first changed. */
function reports(change: Partial<LiveNode>): LiveNode[] {
  return declared.nodes.map((node, index) => reported(node, index === 0 ? change : {}));
}

function problems(change: Partial<LiveNode>, of: Pick<Model, "nodes" | "machines"> = declared): string[] {
  return hardwareProblems(of, reports(change)).map(({ key, found, fix }) => `${key}: ${found}; ${fix}`);
}

function warnings(change: Partial<LiveNode>, of: Pick<Model, "nodes" | "machines"> = declared): string[] {
  return hardwareWarnings(of, reports(change)).map(({ key, message }) => `${key}: ${message}`);
}

describe("what the nodes report", () => {
  test("is less by what kernel, firmware and file system keep: nothing is said", () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(warnings({}), []);
    assert.deepEqual(problems({ memoryGiB: 32 - 32 / 64 - 1, longhornGiB: 775 }), []);
    assert.deepEqual(problems({ memoryGiB: 30.4, longhornGiB: 774.9 }).length, 2);
  });

  test("is less than the stack file says: both figures, and the line to write", () => {
    const fix =
      "if the machine is as it should be: optiplex-1: { …, hardware: { threads: 2, memory: 15Gi, longhorn: 400Gi, watts: 15, networkDrivers: [e1000e] } }";
    assert.deepEqual(problems({ threads: 2, memoryGiB: 15.5, longhornGiB: 400.3 }), [
      `kraft:nodes.optiplex-1.hardware.threads: 4, and the node reports 2; ${fix}`,
      `kraft:nodes.optiplex-1.hardware.memory: 32 GiB, and the node reports 15.5 GiB; ${fix}`,
      `kraft:nodes.optiplex-1.hardware.longhorn: 800 GiB, and the node reports 400.3 GiB; ${fix}`,
    ]);
  });

  test("is more: a warning, since nothing is promised that is not there", () => {
    assert.deepEqual(problems({ threads: 8, memoryGiB: 62.7 }), []);
    assert.deepEqual(warnings({ threads: 8, memoryGiB: 62.7, longhornGiB: 1800 }), [
      "kraft:nodes.optiplex-1.hardware.threads: 4, and the node reports 8: more could be promised",
      "kraft:nodes.optiplex-1.hardware.memory: 32 GiB, and the node reports 62.7 GiB: more could be promised",
      "kraft:nodes.optiplex-1.hardware.longhorn: 800 GiB, and the node reports 1800 GiB: more could be promised",
    ]);
  });

  test("is nothing, before Longhorn runs or on a machine that several nodes share", () => {
    const unknown = { threads: undefined, memoryGiB: undefined, longhornGiB: undefined };
    assert.deepEqual([...problems(unknown), ...warnings(unknown)], []);
  });
});

describe("addresses and names", () => {
  test("a node elsewhere than the stack file says is refused", () => {
    assert.deepEqual(problems({ addresses: ["192.168.1.99", "2001:db8::9"] }), [
      "kraft:nodes.optiplex-1.address: 192.168.1.11, and the node reports 192.168.1.99, 2001:db8::9; " +
        "pulumi config set --path kraft:nodes.optiplex-1.address 192.168.1.99",
    ]);
    assert.deepEqual(problems({ addresses: ["2001:db8::9", "192.168.1.11"] }), []);
  });

  test("where Kraft gives the machines their addresses, it is only said", () => {
    const machines = { distribution: "k3s" } as Model["machines"];
    const managed = { nodes: declared.nodes, machines };
    assert.deepEqual(problems({ addresses: ["192.168.1.99"] }, managed), []);
    assert.deepEqual(warnings({ addresses: ["192.168.1.99"] }, managed), [
      "kraft:nodes.optiplex-1.address: 192.168.1.11, and the node still reports 192.168.1.99",
    ]);
  });

  test("a node that the stack file does not know, and one that the cluster does not have", () => {
    assert.deepEqual(problems({ name: "optiplex-4" }), [
      "kraft:nodes.optiplex-4: nothing, and the cluster has a node optiplex-4, 192.168.1.11; " +
        "add it, with its address and hardware; if the machine is gone for good: kubectl delete node optiplex-4",
    ]);
    assert.deepEqual(warnings({ name: "optiplex-4" }), [
      "kraft:nodes.optiplex-1: not a node of the cluster, but the tables count it",
    ]);
    assert.deepEqual(hardwareWarnings(declared, []), []);
  });
});

describe("reading a cluster", () => {
  const nodes = homelab.nodes.map((node) => simulatedNode(node, homelab) as { status: object; metadata: object });
  const disks = [
    {
      metadata: { name: "optiplex-1" },
      spec: { disks: { main: { allowScheduling: true }, old: { allowScheduling: false } } },
      status: { diskStatus: { main: { storageMaximum: 800 * 1024 ** 3 }, old: { storageMaximum: 5 } } },
    },
    { metadata: { name: "optiplex-2" }, status: { diskStatus: { main: { storageMaximum: 0 } } } },
  ];
  const host = (change: object) => ({
    list: (path: string) =>
      Promise.resolve(
        path.includes("longhorn") ? disks : nodes.map((node, index) => (index === 0 ? { ...node, ...change } : node)),
      ) as never,
  });

  test("simulated nodes report what the stack says", async () => {
    const live = await readLiveNodes(host({}));
    assert.deepEqual(
      live.map(({ name, threads, memoryGiB }) => ({ name, threads, memoryGiB })),
      homelab.nodes.map(({ name, threads, memoryGiB }) => ({ name, threads, memoryGiB })),
    );
    assert.deepEqual(
      live.map(({ longhornGiB }) => longhornGiB),
      [800, undefined, undefined],
    );
  });

  test("kubelets count memory in Ki; a node on a shared machine has no figures, one without a status neither", async () => {
    const status = { capacity: { cpu: "4", memory: "32612588Ki" }, addresses: [] };
    const [real] = await readLiveNodes(host({ status }));
    assert.equal(real?.memoryGiB?.toFixed(1), "31.1");
    const metadata = { name: "optiplex-1", labels: { [sharedMachineLabel]: "true" } };
    const unknown = { threads: undefined, memoryGiB: undefined };
    const [shared] = await readLiveNodes(host({ status, metadata }));
    assert.deepEqual(shared, { name: "optiplex-1", addresses: [], ...unknown, longhornGiB: undefined });
    const [young] = await readLiveNodes(host({ status: undefined }));
    assert.deepEqual(young, { name: "optiplex-1", addresses: [], ...unknown, longhornGiB: 800 });
  });
});
