import assert from "node:assert/strict";
import { before, test } from "node:test";
import { TalosNodes } from "../../../components/talos-nodes.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";
import { passphrase, settings } from "./plan/machines/example.ts";

let resources: Declared[];

before(async () => {
  resources = await declared("proliant", () => {
    new TalosNodes("machines", {
      cluster: "kraft-proliant",
      kubeconfig: { file: "~/.kube/kraft-proliant.yaml", context: "kraft-proliant" },
      node: settings,
      initialTalosVersion: "1.13",
      kubernetesVersion: "1.35.6",
      init: "never",
      snapshots: "~/.kube/kraft-proliant-etcd",
      secrets: "the whole bundle",
      recoveryPassphrase: passphrase,
    });
  });
});

function find(type: string): Declared {
  return resources.find((resource) => resource.type === type) ?? assert.fail(type);
}

function environment(): Record<string, string> {
  return find("command:local:Command").inputs["environment"] as Record<string, string>;
}

test("a machine that leaves the program is left as it is", () => {
  const { inputs, protect } = find("command:local:Command");
  assert.equal(protect, true);
  // A changed trigger replaces, and a replaced command runs what it has under delete.
  assert.deepEqual([inputs["delete"], inputs["triggers"], inputs["update"]], [undefined, undefined, undefined]);
});

test("secrets are what the script reads, marked as such, and nowhere else", () => {
  const { stdin, ...shown } = find("command:local:Command").inputs;
  // Under mocks a secret comes with its mark.
  const { value, ...mark } = stdin as { readonly value: string };
  assert.equal(Object.keys(mark).length, 1);
  assert.match(value, /^the whole bundle\n# kraft: [^]*passphrase: correct-horse/);
  const rest = JSON.stringify(shown);
  assert.ok(!rest.includes(passphrase) && !rest.includes("the whole bundle"));
});

test("a preview shows what changes, and a failure repeats one short line", () => {
  const { inputs } = find("command:local:Command");
  const { PATCH, SCRIPT, DRAINS, CLUSTER_INIT } = environment();
  assert.match(PATCH ?? "", /kubeNetworkPoliciesEnabled: true/);
  assert.match(SCRIPT ?? "", /^set -euo pipefail\nDIVIDER=[^]*\nguarded main\n$/);
  assert.deepEqual([DRAINS, CLUSTER_INIT], ["false", "never"]);
  assert.equal(inputs["create"], 'exec bash --norc -c "$SCRIPT"');
});

test("the provider is the component's own: the stack has no default ones", () => {
  assert.equal(find("pulumi:providers:command").parent, "machines");
});
