import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { bootstrap } from "../../../../infra/nodes/bootstrap.ts";
import { needsBootstrap } from "../../../../infra/nodes/needs-bootstrap.ts";
import { type Declared, declared } from "../../../../kraft/diff/mocked-resources.ts";
import { homelab } from "../../../../stacks/homelab.ts";
import { local } from "../../../../stacks/local.ts";
import { proliant } from "../../../../stacks/proliant.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const { raw } = stackFile(new URL("../../../fixtures/machines.yaml", import.meta.url));
const placeholder = { uid: "00000000-0000-0000-0000-000000000000" };

function changed(values: Readonly<Record<string, unknown>>): typeof raw {
  return { ...raw, values: { ...raw.values, ...values } };
}

describe("only the machines are declared", () => {
  test("while no cluster is named, with kraft:machines, on k3s and Talos", () => {
    assert.equal(needsBootstrap(homelab, changed({ cluster: placeholder })), true);
    assert.equal(needsBootstrap(homelab, changed({ cluster: undefined })), true);
    assert.equal(needsBootstrap(homelab, raw), false);
    assert.equal(needsBootstrap(homelab, changed({ cluster: placeholder, machines: {} })), false);
    assert.equal(needsBootstrap(homelab, changed({ cluster: placeholder, machines: undefined })), false);
    assert.equal(needsBootstrap(local, changed({ cluster: placeholder })), false);
    assert.equal(needsBootstrap(proliant, changed({ cluster: placeholder })), true);
    assert.equal(needsBootstrap(undefined, changed({ cluster: placeholder })), false);
  });
});

describe("a bootstrap", () => {
  let resources: Declared[];
  let next = "";
  const refusals: string[] = [];

  before(async () => {
    resources = await declared("homelab", async () => {
      for (const wrong of [{ k3sToken: undefined }, { nodes: {} }]) {
        await bootstrap(homelab, changed({ cluster: placeholder, ...wrong })).catch((error: unknown) => {
          refusals.push((error as Error).message);
        });
      }
      // The platform's own keys are still the owner's to fill in.
      const unfinished = { cluster: placeholder, domain: "homelab.invalid", machines: { clusterInit: true } };
      ({ next } = await bootstrap(homelab, changed(unfinished)));
    });
  });

  test("declares the machines, and says what comes next", () => {
    const types = new Set(resources.map(({ type }) => type).filter((type) => type !== "pulumi:pulumi:Stack"));
    assert.deepEqual([...types].sort(), ["command:remote:Command", "kraft:index:K3sNodes", "pulumi:providers:command"]);
    assert.match(next, /npx kraft host-kubeconfig -s homelab/);
  });

  test("asks for everything that the machines need, all at once", () => {
    assert.match(refusals[0] ?? "", /has 1 problem\.[\s\S]*kraft:k3sToken\n {4}found: {3}nothing/);
    assert.match(refusals[1] ?? "", /has 3 problems\.[\s\S]*kraft:nodes\.optiplex-3/);
  });
});
