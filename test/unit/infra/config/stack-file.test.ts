import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { declaredTenantsOf, entryOf, modelOf, readStackFile } from "../../../../infra/config/stack-file.ts";
import { stacks } from "../../../../stacks/index.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");
const stack = stacks.get("local") ?? assert.fail("no stack local");
const folder = mkdtempSync(join(tmpdir(), "kraft-stack-file-"));

before(() => {
  for (const name of ["Pulumi.yaml", "Pulumi.local.yaml"]) {
    cpSync(join(root, name), join(folder, name));
  }
});

after(() => {
  rmSync(folder, { recursive: true });
});

test("the embedded stack never has its bucket at Wasabi, before its first run neither", () => {
  assert.equal(modelOf(readStackFile(stack, folder)).backup.endpoint, "http://127.0.0.1:1");
});

test("after a run it is where that run's S3 server was, and the rest of the key is the file's", () => {
  const ran = join(folder, ".kraft", "local", "local", "pulumi", "Pulumi.local.yaml");
  mkdirSync(dirname(ran), { recursive: true });
  const backup = { bucket: "other", region: "eu-central-1", prefix: "other", endpoint: "http://127.0.0.1:4711" };
  writeFileSync(ran, stringify({ config: { "kraft:backup": backup } }));
  const { endpoint, bucket, prefix } = modelOf(readStackFile(stack, folder)).backup;
  assert.deepEqual([endpoint, bucket, prefix], ["http://127.0.0.1:4711", "kraft-local", "local"]);
});

test("what becomes of tenants, and the entrypoint's address, are known whatever else is wrong with the file", () => {
  const where = join(folder, "half-written");
  mkdirSync(where);
  cpSync(join(root, "Pulumi.yaml"), join(where, "Pulumi.yaml"));
  const written = (network: object) => {
    const tenants = {
      dora: { size: "enormous", state: "suspended", from: "homelab" },
      acme: null,
      blue: { domains: ["blue.example"], size: "small", state: "resting", from: 7 },
    };
    writeFileSync(
      join(where, "Pulumi.local.yaml"),
      stringify({ config: { "kraft:tenants": tenants, "kraft:network": network } }),
    );
    return readStackFile(stack, where);
  };
  assert.deepEqual(declaredTenantsOf(written({})), [
    { name: "acme", state: "active", from: undefined },
    { name: "blue", state: "active", from: undefined },
    { name: "dora", state: "suspended", from: "homelab" },
  ]);
  assert.equal(entryOf(written({ resolvers: ["192.168.1.1"], entry: "192.168.1.250" })), "192.168.1.250");
  assert.equal(entryOf(written({ resolvers: ["192.168.1.1"] })), undefined);
});
