import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { firstMachines, machinesComeFirst } from "../../../../infra/nodes/declare-k3s.ts";
import { declared, type Declared } from "../../../../kraft/diff/declared.ts";
import { homelab } from "../../../../stacks/homelab.ts";
import { local } from "../../../../stacks/local.ts";
import { proliant } from "../../../../stacks/proliant.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const { raw } = stackFile(new URL("../../../fixtures/machines.yaml", import.meta.url));
const placeholder = { uid: "00000000-0000-0000-0000-000000000000" };

function changed(values: Readonly<Record<string, unknown>>): typeof raw {
  return { ...raw, values: { ...raw.values, ...values } };
}

describe("the machines come first", () => {
  test("only while no cluster is named, only with kraft:machines, only on k3s", () => {
    assert.equal(machinesComeFirst(homelab, changed({ cluster: placeholder })), true);
    assert.equal(machinesComeFirst(homelab, changed({ cluster: undefined })), true);
    assert.equal(machinesComeFirst(homelab, raw), false);
    assert.equal(machinesComeFirst(homelab, changed({ cluster: placeholder, machines: {} })), false);
    assert.equal(machinesComeFirst(homelab, changed({ cluster: placeholder, machines: undefined })), false);
    assert.equal(machinesComeFirst(local, changed({ cluster: placeholder })), false);
    assert.equal(machinesComeFirst(proliant, changed({ cluster: placeholder })), false);
    assert.equal(machinesComeFirst(undefined, changed({ cluster: placeholder })), false);
  });
});

describe("then nothing else is declared", () => {
  let resources: Declared[];
  let next = "";
  const refusals: string[] = [];

  before(async () => {
    resources = await declared("homelab", async () => {
      for (const wrong of [{ k3sToken: undefined }, { nodes: {} }]) {
        await firstMachines(homelab, changed({ cluster: placeholder, ...wrong })).catch((error: unknown) => {
          refusals.push((error as Error).message);
        });
      }
      // The platform's own keys are still the owner's to fill in.
      const unfinished = { cluster: placeholder, domain: "homelab.invalid", machines: { clusterInit: true } };
      ({ next } = await firstMachines(homelab, changed(unfinished)));
    });
  });

  test("the machines, and a word about what comes next", () => {
    const types = new Set(resources.map(({ type }) => type).filter((type) => type !== "pulumi:pulumi:Stack"));
    assert.deepEqual([...types].sort(), ["command:remote:Command", "kraft:index:K3sNodes", "pulumi:providers:command"]);
    assert.match(next, /npm run kraft -- host-kubeconfig homelab/);
  });

  test("what the machines need is asked for, all at once", () => {
    assert.match(refusals[0] ?? "", /has 1 problem\.[\s\S]*kraft:k3sToken\n {4}found: {3}nothing/);
    assert.match(refusals[1] ?? "", /has 3 problems\.[\s\S]*kraft:nodes\.optiplex-3/);
  });
});
