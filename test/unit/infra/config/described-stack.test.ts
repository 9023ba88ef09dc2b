import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { capacity } from "../../../../infra/checks/capacity.ts";
import { costs } from "../../../../infra/checks/cost.ts";
import { nodeWarnings } from "../../../../infra/checks/nodes.ts";
import { describedStack } from "../../../../infra/config/described-stack.ts";
import { validate } from "../../../../infra/config/validate.ts";
import { stackConfig } from "../../../../kraft/diff/stack-config.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const valid = stackFile().raw;

function withKeys(values: Readonly<Record<string, unknown>>) {
  return { ...valid, values: { ...valid.values, ...values } };
}

function modelWith(values: Readonly<Record<string, unknown>>) {
  return validate("homelab", stacks, withKeys(values));
}

const hardware = { threads: 8, memory: "62Gi", longhorn: "1800Gi", watts: 20 };
const own = {
  "nuc-10": { address: "192.168.1.13", hardware },
  "nuc-2": { address: "192.168.1.12", hardware: { ...hardware, networkDrivers: ["e1000e"], model: "NUC" } },
  "nuc-1": { address: "192.168.1.11", hardware: { threads: 4, memory: "15Gi", longhorn: "400Gi", watts: 10 } },
};

describe("a stack file with the hardware of every node", () => {
  test("says which nodes there are, in an order of its own", () => {
    const { stack, nodes } = modelWith({ nodes: own });
    assert.deepEqual(
      nodes.map(({ name, address, threads, memoryGiB, longhornGiB }) => [
        name,
        address,
        threads,
        memoryGiB,
        longhornGiB,
      ]),
      [
        ["nuc-1", "192.168.1.11", 4, 15, 400],
        ["nuc-2", "192.168.1.12", 8, 62, 1800],
        ["nuc-10", "192.168.1.13", 8, 62, 1800],
      ],
    );
    assert.deepEqual(nodes[1]?.networkDrivers, ["e1000e"]);
    assert.equal(stack.description, "3 nodes on k3s");
    assert.equal(stack.exposure, "loadBalancer");
    assert.equal("hardware" in (nodes[0] ?? {}), false);
  });

  test("with one node has what a single node has", () => {
    const { stack, replicas } = modelWith({ nodes: { one: own["nuc-2"] } });
    assert.equal(stack.exposure, "hostPort");
    assert.equal(replicas, 1);
  });

  test("is what capacity and cost are calculated from", () => {
    const prices = { currency: "EUR", perKilowattHour: 0.35, wasabiPerTerabyteMonth: 8 };
    const usual = modelWith({ prices });
    const large = modelWith({ prices, nodes: own });
    const cpu = (model: typeof usual) => capacity(model).find(({ resource }) => resource === "CPU")?.all.available;
    assert.ok((cpu(large) ?? 0) > (cpu(usual) ?? Infinity));
    const electricity = (model: typeof usual) => costs(model)[0]?.electricity ?? NaN;
    assert.equal((electricity(large) / electricity(usual)).toFixed(3), (50 / 45).toFixed(3));
  });
});

test("a pull request is compared with the nodes of the file, and only an address that is missing is made up", () => {
  const folder = mkdtempSync(join(tmpdir(), "kraft-described-"));
  try {
    const file = join(folder, "Pulumi.homelab.yaml");
    const project = join(import.meta.dirname, "../../../../Pulumi.yaml");
    const { "nuc-1": one } = own;
    const written = { config: { "kraft:nodes": { one, two: { ...one, address: "192.0.2.12" } } } };
    writeFileSync(file, stringify(written, { aliasDuplicateObjects: false }));
    const { values } = stackConfig("homelab", ["optiplex-1"], { project, stack: file });
    assert.deepEqual(JSON.parse(values["kraft:nodes"] ?? ""), { one, two: { ...one, address: "192.168.255.11" } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an even number of nodes survives no more than one fewer", () => {
  const { "nuc-10": ten, "nuc-2": two, "nuc-1": one } = own;
  assert.deepEqual(nodeWarnings(modelWith({ nodes: { one, two } })), [
    {
      key: "kraft:nodes",
      message: "2 nodes: if either node is lost, the API server stops, as with 1. An odd number is better",
    },
  ]);
  const four = { one, two, ten, four: { ...two, address: "192.168.1.14" } };
  assert.match(
    nodeWarnings(modelWith({ nodes: four }))[0]?.message ?? "",
    /^4 nodes: it survives the loss of 1, as with 3/,
  );
  assert.deepEqual(nodeWarnings(modelWith({ nodes: own })), []);
});

describe("a stack file with the hardware of some nodes", () => {
  test("replaces their figures, and the nodes stay those of stacks/", () => {
    const nodes = { ...(valid.values["nodes"] as object), "optiplex-2": { address: "192.168.1.12", hardware } };
    const { stack } = modelWith({ nodes });
    assert.deepEqual(
      stack.nodes.map(({ name, threads }) => [name, threads]),
      [
        ["optiplex-1", 4],
        ["optiplex-2", 8],
        ["optiplex-3", 4],
      ],
    );
    assert.equal(stack.description, stacks.get("homelab")?.description);
  });

  test("on Talos keeps what the operating system has to be told", () => {
    const proliant = stacks.get("proliant");
    assert.ok(proliant);
    const { nodes } = describedStack(
      proliant,
      withKeys({ nodes: { "proliant-1": { address: "192.168.1.11", hardware } } }),
    );
    assert.deepEqual(nodes[0], {
      ...proliant.nodes[0],
      model: "",
      threads: 8,
      memoryGiB: 62,
      longhornGiB: 1800,
      watts: 20,
      networkDrivers: [],
    });
  });
});

test("the guests' version of a stack file counts instead of the stack's own, one that is invalid does not", () => {
  assert.equal(modelWith({ guestVersion: "v1.34.9-k3s2" }).stack.guestVersion, "v1.34.9-k3s2");
  const homelab = stacks.get("homelab");
  assert.ok(homelab);
  assert.equal(describedStack(homelab, withKeys({ guestVersion: "latest" })), homelab);
});

test("a stack file without hardware has the stack as it is", () => {
  for (const stack of stacks.values()) {
    assert.equal(describedStack(stack, valid), stack);
  }
});
