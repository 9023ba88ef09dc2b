import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ConfigError } from "../../../../errors/problem.ts";
import type { RawConfig } from "../../../../infra/config/parse.ts";
import { validate } from "../../../../infra/config/validate.ts";
import { bootstrap } from "../../../../infra/nodes/bootstrap.ts";
import { needsBootstrap } from "../../../../infra/nodes/needs-bootstrap.ts";
import { type Declared, declared } from "../../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../../stacks/index.ts";
import { settings } from "../../components/plan/machines/example.ts";
import { stack } from "../checks/example.ts";

const proliant = stack("proliant");
const placeholder = "00000000-0000-0000-0000-000000000000";

/** Of the keys that a machine is made of, and nothing for the platform. */
function raw(changes: Readonly<Record<string, unknown>> = {}): RawConfig {
  const values = {
    cluster: { kubeconfig: "~/.kube/kraft-proliant.yaml", context: "kraft-proliant", uid: placeholder },
    nodes: { "proliant-1": { address: settings.address, drives: settings.drives } },
    machines: { clusterInit: true },
    talosSecrets: "cluster:\n  id: example",
    diskPassphrase: "0123456789abcdef0123456789abcdef",
    ...changes,
  };
  return { values, encrypted: new Set(["talosSecrets", "diskPassphrase"]) };
}

let resources: Declared[];
let next = "";

before(async () => {
  resources = await declared("proliant", async () => {
    ({ next } = await bootstrap(proliant, raw()));
  });
});

test("only the machine is declared while Kraft manages it and no cluster is named", () => {
  const table = [
    [raw(), true],
    [raw({ machines: {} }), false],
    [raw({ machines: undefined }), false],
    [raw({ cluster: { uid: "11111111-2222-3333-4444-555555555555" } }), false],
    [raw({ cluster: undefined }), true],
  ] as const;
  for (const [config, expected] of table) {
    assert.equal(needsBootstrap(proliant, config), expected, JSON.stringify(config.values));
  }
  assert.equal(needsBootstrap(stack("local"), raw()), false);
  assert.equal(needsBootstrap(undefined, raw()), false);
});

test("a bootstrap declares the machine and nothing else, and says what comes next", () => {
  const types = resources.map(({ type }) => type);
  assert.deepEqual(types.sort(), ["command:local:Command", "kraft:index:TalosNodes", "pulumi:providers:command"]);
  const { inputs } = resources.find(({ type }) => type === "command:local:Command") ?? assert.fail();
  const value = inputs["environment"] as Record<string, string>;
  const { CLUSTER_INIT, KUBECONFIG_FILE, SNAPSHOTS, SYSTEM_DRIVE, KUBERNETES_VERSION } = value;
  assert.deepEqual(
    { CLUSTER_INIT, KUBECONFIG_FILE, SNAPSHOTS, SYSTEM_DRIVE, KUBERNETES_VERSION },
    {
      CLUSTER_INIT: "new",
      KUBECONFIG_FILE: "~/.kube/kraft-proliant.yaml",
      SNAPSHOTS: "~/.kube/kraft-proliant-etcd",
      SYSTEM_DRIVE: settings.drives.system,
      KUBERNETES_VERSION: proliant.kubernetesVersion,
    },
  );
  assert.match(next, /^kubectl --kubeconfig ~\/\.kube\/kraft-proliant\.yaml --context kraft-proliant get namespace/);
});

test("what the machine needs and does not have is refused, what only the platform needs is not", async () => {
  const incomplete = raw({ nodes: { "proliant-1": { address: "192.0.2.11" } }, talosSecrets: undefined });
  await assert.rejects(bootstrap(proliant, incomplete), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    const keys = error.problems.map(({ key }) => key);
    assert.deepEqual(keys, ["kraft:nodes.proliant-1.address", "kraft:talosSecrets"]);
    return true;
  });
});

test("a stack whose machine is set up by hand has none", () => {
  const { machines } = validate("proliant", stacks, {
    values: {
      ...raw().values,
      machines: undefined,
      talosSecrets: undefined,
      diskPassphrase: undefined,
      cluster: { ...(raw().values["cluster"] as object), uid: "11111111-2222-3333-4444-555555555555" },
      network: { resolvers: ["169.254.116.108"] },
      domain: "kraft.example",
      issuer: { server: "staging" },
      charts: { source: "upstream" },
      backup: { bucket: "kraft-backup", region: "eu-central-2", prefix: "proliant" },
      tenants: {},
      wasabiAccessKeyId: "key",
      wasabiSecretAccessKey: "secret",
      guestTokenSeed: "0123456789abcdef0123456789abcdef",
    },
    encrypted: new Set(["wasabiAccessKeyId", "wasabiSecretAccessKey", "guestTokenSeed"]),
  });
  assert.equal(machines, undefined);
});
