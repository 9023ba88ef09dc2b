import assert from "node:assert/strict";
import { before, test } from "node:test";
import { TalosNodes } from "../../../components/talos-nodes.ts";
import { hostTraits } from "../../../components/plan/machines/machine.ts";
import { declared, type Declared } from "../../../kraft/diff/declared.ts";
import { passphrase, settings } from "./example.ts";

let resources: Declared[];

before(async () => {
  resources = await declared("proliant", () => {
    const { traits: _traits, talosVersion, network, ...node } = settings;
    new TalosNodes("machines", {
      cluster: "kraft-proliant",
      kubeconfig: { file: "~/.kube/kraft-proliant.yaml", context: "kraft-proliant" },
      node,
      traits: hostTraits("talos", 1),
      talosVersion,
      bornWith: "1.13",
      kubernetesVersion: "1.35.6",
      network,
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

/** Under mocks a map with secrets in it comes as one secret, whose value is the map. */
function environment(): Record<string, string> {
  const { value } = find("command:local:Command").inputs["environment"] as { value: Record<string, string> };
  return value;
}

test("a machine that leaves the program is left as it is", () => {
  const { inputs, protect } = find("command:local:Command");
  assert.equal(protect, true);
  // A changed trigger replaces, and a replaced command runs what it has under delete.
  assert.deepEqual([inputs["delete"], inputs["triggers"], inputs["update"]], [undefined, undefined, undefined]);
});

test("secrets are in two variables of the environment and nowhere else", () => {
  const { inputs } = find("command:local:Command");
  const { SECRETS, SECRET_PATCH, ...shown } = environment();
  assert.match(JSON.stringify([SECRETS, SECRET_PATCH]), /the whole bundle/);
  assert.match(JSON.stringify(SECRET_PATCH), new RegExp(passphrase));
  const rest = JSON.stringify({ ...inputs, environment: shown });
  assert.ok(!rest.includes(passphrase) && !rest.includes("the whole bundle"));
});

test("a preview shows what changes, and a failure repeats one short line", () => {
  const { inputs } = find("command:local:Command");
  const { PATCH, SCRIPT, DRAINS, CLUSTER_INIT } = environment();
  assert.match(PATCH ?? "", /kubeNetworkPoliciesEnabled: true/);
  assert.match(SCRIPT ?? "", /^set -euo pipefail\n[^]*\nmain\n$/);
  assert.deepEqual([DRAINS, CLUSTER_INIT], ["false", "never"]);
  assert.equal(inputs["create"], 'exec bash --norc -c "$SCRIPT"');
});

test("the provider is the component's own: the stack has no default ones", () => {
  assert.equal(find("pulumi:providers:command").parent, "machines");
});
