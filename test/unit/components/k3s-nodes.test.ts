import assert from "node:assert/strict";
import { before, test } from "node:test";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

let resources: Declared[];

before(async () => {
  const { raw } = stackFile(new URL("../../fixtures/machines.yaml", import.meta.url));
  resources = await declared("homelab", async () => {
    const model = validate("homelab", stacks, raw);
    await platform(model, []);
  });
});

test("every command is pinned to a host key, protected, and never undoes or depends on what went before", () => {
  const commands = resources.filter(({ type }) => type === "command:remote:Command");
  assert.deepEqual(
    commands.map(({ name }) => name),
    [1, 2, 3].flatMap((number) => [`machines-optiplex-${number}-token`, `machines-optiplex-${number}`]),
  );
  for (const { name, inputs, protect } of commands) {
    assert.ok(protect, name);
    const connection = JSON.stringify(inputs["connection"]);
    assert.match(connection, /ssh-ed25519 AAAA/, name);
    assert.equal(inputs["addPreviousOutputInEnv"], false);
    for (const key of ["triggers", "delete", "update", "environment"]) {
      assert.ok(!(key in inputs), `${name}: ${key}`);
    }
    assert.doesNotMatch(String(inputs["create"]), /example-k3s-token|PRIVATE KEY/);
  }
});

test("etcd's snapshots go to a folder of their own beside Longhorn's backups", () => {
  const secret = resources.find(({ name }) => name === "etcd-snapshots-target");
  const { metadata, stringData } = (secret ?? assert.fail()).inputs as Record<string, Record<string, string>>;
  assert.deepEqual(metadata, { name: "k3s-etcd-s3", namespace: "kube-system" });
  const data = JSON.parse(JSON.stringify(stringData)) as Record<string, unknown>;
  const values = (data["value"] ?? data) as Record<string, string>;
  assert.equal(values["etcd-s3-endpoint"], "s3.eu-central-2.wasabisys.com");
  assert.equal(values["etcd-s3-folder"], "homelab/etcd");
  assert.equal(values["etcd-s3-bucket"], "kraft-backup");
});
