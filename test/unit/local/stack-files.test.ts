import assert from "node:assert/strict";
import { test } from "node:test";
import { readPulumiFile } from "../../../infra/config/pulumi-files.ts";
import { simulatedAddress, simulatedRouter } from "../../../local/simulated-nodes.ts";
import { localProjectFile, localStackFile, type ProjectFile } from "../../../local/stack-files.ts";
import { homelab } from "../../../stacks/homelab.ts";

const cluster = { kubeconfig: "/k.yaml", context: "c", uid: "u" };
const base = {
  stack: { ...homelab, nodes: homelab.nodes.slice(0, 2) },
  checkout: { config: {} },
  previous: undefined,
  cluster,
  addresses: { node: (name: string) => simulatedAddress(homelab, name), router: simulatedRouter },
  charts: "./charts",
  k3kVersion: "1.1.0",
  s3: { endpoint: "http://127.0.0.1:9000", keysAreNew: false },
};

test("what the operator declared stays, and the local cluster takes the place of the real one", () => {
  const { file } = localStackFile({
    ...base,
    checkout: {
      config: {
        "kraft:cluster": { kubeconfig: "~/real", context: "real", uid: "real" },
        "kraft:nodes": { "optiplex-1": { address: "192.168.1.11" } },
        "kraft:network": { resolvers: ["192.168.1.1"] },
        "kraft:domain": "home.example",
        "kraft:tenants": { acme: { domains: ["acme.example"], size: "small" } },
      },
    },
  });
  assert.deepEqual(file, {
    config: {
      "kraft:cluster": cluster,
      "kraft:nodes": { "optiplex-1": { address: "198.51.100.11" }, "optiplex-2": { address: "198.51.100.12" } },
      "kraft:network": { resolvers: ["192.168.1.1"] },
      "kraft:charts": { source: "folder", path: "./charts" },
      "kraft:k3kVersion": "1.1.0",
      "kraft:domain": "home.example",
      "kraft:tenants": { acme: { domains: ["acme.example"], size: "small" } },
    },
  });
});

test("hardware that the operator declared is what simulated nodes have, so it stays", () => {
  const hardware = { threads: 2, memory: "16Gi", longhorn: "200Gi" };
  const { file } = localStackFile({
    ...base,
    checkout: {
      config: { "kraft:nodes": { "optiplex-1": { address: "192.168.1.11", hostKey: "ssh-ed25519 A", hardware } } },
    },
  });
  assert.deepEqual(file.config?.["kraft:nodes"], {
    "optiplex-1": { address: "198.51.100.11", hardware },
    "optiplex-2": { address: "198.51.100.12" },
  });
});

test("placeholders and a K3k that cannot be built are replaced, and said so", () => {
  const { file, changes } = localStackFile({
    ...base,
    checkout: {
      config: {
        "kraft:domain": "homelab.invalid",
        "kraft:network": { resolvers: ["192.0.2.1"], home: ["203.0.113.7/32"] },
      },
    },
  });
  assert.deepEqual(file.config?.["kraft:network"], { resolvers: ["198.51.100.1"], home: ["203.0.113.7/32"] });
  assert.equal(file.config["kraft:domain"], "homelab.kraft.test");
  assert.equal(file.config["kraft:k3kVersion"], "1.1.0");
  assert.deepEqual(changes, [
    'K3k is 1.1.0; the stack declares "1.2.0-rc4", whose controller cannot be built here',
    "the platform's domain is homelab.kraft.test in place of the placeholder homelab.invalid",
    "the nodes' name server is 198.51.100.1 in place of the placeholder 192.0.2.1",
  ]);
});

test("nothing is said where nothing is replaced", () => {
  const { file, changes } = localStackFile({ ...base, stack: { ...homelab, k3kVersion: "1.1.0" } });
  assert.deepEqual(changes, []);
  assert.equal(file.config !== undefined && "kraft:k3kVersion" in file.config, false);
});

test("Grafana, whose image cannot be built here, is left out unless a run asks for it itself", () => {
  const given = { ...base, stack: { ...homelab, k3kVersion: "1.1.0" } };
  const key = "kraft:dashboards";
  const { file, changes } = localStackFile({ ...given, checkout: { config: { [key]: "grafana" } } });
  assert.equal(file.config?.[key], undefined);
  assert.deepEqual(changes, [
    "Grafana does not run here, since its image cannot be built, so kraft:dashboards is left out",
  ]);
  assert.equal(localStackFile({ ...given, overrides: { [key]: "grafana" } }).file.config?.[key], "grafana");
  // A slip is the check's to report.
  assert.equal(
    localStackFile({ ...given, checkout: { config: { [key]: "grafanna" } } }).file.config?.[key],
    "grafanna",
  );
});

test("secrets are made once: the owner's are never used, those of the run before are kept", () => {
  const keys = ["kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey", "kraft:guestTokenSeed"];
  const owners = Object.fromEntries(keys.map((key) => [key, { secure: "v1:owner" }]));
  const first = localStackFile({ ...base, checkout: { config: owners } });
  assert.deepEqual(first.missingSecrets, keys);
  assert.equal(JSON.stringify(first.file).includes("v1:owner"), false);

  const ours = Object.fromEntries(keys.map((key) => [key, { secure: "v1:ours" }]));
  const second = localStackFile({
    ...base,
    checkout: { config: owners },
    previous: { encryptionsalt: "salt", config: ours },
  });
  assert.deepEqual(second.missingSecrets, []);
  assert.equal(second.file.encryptionsalt, "salt");
  assert.deepEqual(second.file.config?.["kraft:guestTokenSeed"], { secure: "v1:ours" });

  const unreadable = localStackFile({ ...base, previous: { config: ours } });
  assert.deepEqual(unreadable.missingSecrets, keys);
});

test("backups go to the cluster's own S3 server, whatever the stack declares; what is no map is left to the check", () => {
  const declared = { bucket: "b-1", region: "eu-central-2", prefix: "p" };
  const expected = { ...declared, endpoint: "http://127.0.0.1:9000" };
  const target = "backups go to the cluster's own S3 server, http://127.0.0.1:9000, and never to Wasabi";
  const k3k = { ...base, stack: { ...homelab, k3kVersion: "1.1.0" } };
  for (const [backup, changes] of [
    [declared, [target]],
    [{ ...declared, endpoint: "https://s3.example" }, [target]],
    [
      { ...declared, managed: true },
      [target, "the local run makes the bucket itself, so kraft:backup.managed is left out"],
    ],
  ] as const) {
    const derived = localStackFile({ ...k3k, checkout: { config: { "kraft:backup": backup } } });
    assert.deepEqual(derived.file.config?.["kraft:backup"], expected);
    assert.deepEqual(derived.changes, changes);
  }
  const wrong = localStackFile({ ...k3k, checkout: { config: { "kraft:backup": "b-1" } } });
  assert.equal(wrong.file.config?.["kraft:backup"], "b-1");
});

test("a cluster from before it had an S3 server gets that server's keys, and keeps its other secrets", () => {
  const keys = ["kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey", "kraft:guestTokenSeed"];
  const previous = {
    encryptionsalt: "salt",
    config: Object.fromEntries(keys.map((key) => [key, { secure: "v1:random" }])),
  };
  const { file, missingSecrets } = localStackFile({ ...base, previous, s3: { ...base.s3, keysAreNew: true } });
  assert.deepEqual(missingSecrets, ["kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey"]);
  assert.deepEqual(file.config?.["kraft:guestTokenSeed"], { secure: "v1:random" });
  assert.equal("kraft:wasabiAccessKeyId" in file.config, false);
});

test("overrides win over everything", () => {
  const { file, missingSecrets } = localStackFile({
    ...base,
    overrides: { "kraft:domain": "x.test", "kraft:guestTokenSeed": "" },
  });
  assert.equal(file.config?.["kraft:domain"], "x.test");
  assert.deepEqual(missingSecrets, ["kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey"]);
});

test("the project keeps its name and config, and gets the provider's folder", () => {
  assert.deepEqual(
    localProjectFile({ name: "kraft", main: "x.ts", config: { a: 1 } }, { folder: "/bin", version: "4.25.0" }),
    {
      name: "kraft",
      config: { a: 1 },
      plugins: { providers: [{ name: "kubernetes", path: "/bin", version: "4.25.0" }] },
    },
  );
});

test("Pulumi.yaml makes every run look at the cluster first, and a local run does the same", () => {
  const project = readPulumiFile(new URL("../../../Pulumi.yaml", import.meta.url).pathname) as ProjectFile;
  assert.deepEqual(project["options"], { refresh: "always" });
  assert.deepEqual(localProjectFile(project, { folder: "/bin", version: "4.25.0" })["options"], { refresh: "always" });
});

test("there is no other cluster that a tenant could come from", () => {
  const acme = { domains: ["acme.example"], size: "small" };
  for (const source of [{}, { "kraft:source": { stack: "homelab", bucket: "b", region: "r", prefix: "homelab" } }]) {
    const { file, changes } = localStackFile({
      ...base,
      checkout: { config: { ...source, "kraft:tenants": { acme: { ...acme, from: "homelab" }, blue: acme } } },
    });
    assert.deepEqual(file.config?.["kraft:tenants"], { acme, blue: acme });
    assert.equal(file.config["kraft:source"], undefined);
    assert.ok(changes.some((change) => change.startsWith("there is no other cluster to move from")));
  }
});
