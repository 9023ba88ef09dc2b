import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../../../errors/failure.ts";
import { readStackFile, type StackFile } from "../../../../infra/config/stack-file.ts";
import { bucketKey, decrypter, openSecrets, passphraseOf } from "../../../../kraft/secrets/stack-secrets.ts";
import { stacks } from "../../../../stacks/index.ts";
import { folderWith } from "../../../fixtures/kraft/command.ts";
import { clear, encrypted, passphrase } from "../../../fixtures/kraft/encrypted.ts";

const stack = stacks.get("homelab") ?? assert.fail("no stack homelab");

function withFile(
  use: (file: StackFile, directory: string) => Promise<void>,
  changes: Readonly<Record<string, unknown>> = {},
  salt: string | undefined = encrypted.encryptionsalt,
): Promise<void> {
  return folderWith({ ...encrypted.config, ...changes }, (folder) => use(readStackFile(stack, folder), folder), salt);
}

function fails(message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, message);
    return true;
  };
}

test("what Pulumi itself encrypted opens with its passphrase, from a variable or a file", () =>
  withFile(async (file, folder) => {
    const path = join(folder, "passphrase");
    writeFileSync(path, `${passphrase}\n`);
    for (const environment of [{ PULUMI_CONFIG_PASSPHRASE: passphrase }, { PULUMI_CONFIG_PASSPHRASE_FILE: path }]) {
      const keys = ["wasabiAccessKeyId", "wasabiSecretAccessKey", "guestTokenSeed"] as const;
      assert.deepEqual(
        await openSecrets(file, environment, keys),
        keys.map((key) => clear[key]),
      );
    }
  }));

test("a passphrase that is wrong, empty or missing, and a file that is not there", () =>
  withFile(async (file) => {
    for (const [environment, message] of [
      [{ PULUMI_CONFIG_PASSPHRASE: "another" }, /^the passphrase is not the one of Pulumi\.homelab\.yaml$/],
      [{ PULUMI_CONFIG_PASSPHRASE: "" }, /^the passphrase is not the one of/],
      [{}, /^the passphrase of Pulumi\.homelab\.yaml is needed: set PULUMI_CONFIG_PASSPHRASE or/],
      [{ PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" }, /^PULUMI_CONFIG_PASSPHRASE_FILE cannot be read: /],
    ] as const) {
      await assert.rejects(openSecrets(file, environment, ["guestTokenSeed"]), fails(message));
    }
  }));

test("a stack file without its salt, with another's, or with values that were changed", async () => {
  const environment = { PULUMI_CONFIG_PASSPHRASE: passphrase };
  await folderWith(
    encrypted.config,
    (folder) =>
      assert.rejects(
        openSecrets(readStackFile(stack, folder), environment, ["guestTokenSeed"]),
        fails(/has no line encryptionsalt, without which no passphrase opens it/),
      ),
    null,
  );
  await assert.rejects(
    decrypter("v2:what", passphrase, "the file"),
    fails(/^the line encryptionsalt of the file is not/),
  );
  const { secure } = encrypted.config["kraft:guestTokenSeed"];
  for (const value of [secure.replace("9z/x", "9z/y"), "v1:short:AA==", "v2:a:b"]) {
    await withFile(
      (file) => assert.rejects(openSecrets(file, environment, ["guestTokenSeed"]), fails(/^an encrypted value of/)),
      { "kraft:guestTokenSeed": { secure: value } },
    );
  }
});

test("the bucket's key: the environment's, or the stack file's; of a managed bucket the administrator's", async () => {
  const ours = { PULUMI_CONFIG_PASSPHRASE: passphrase };
  await withFile(async (file) => {
    const own = await bucketKey(file, ours);
    assert.deepEqual([own.accessKeyId, own.secretAccessKey], [clear.wasabiAccessKeyId, clear.wasabiSecretAccessKey]);
    const given = await bucketKey(file, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" });
    assert.deepEqual([given.accessKeyId, given.secretAccessKey], ["id", "secret"]);
    await assert.rejects(
      bucketKey(file, { ...ours, AWS_ACCESS_KEY_ID: "id" }),
      fails(/^only one of AWS_ACCESS_KEY_ID/),
    );
  });
  const managed = { bucket: "kraft-backup", region: "eu-central-2", prefix: "homelab", managed: true };
  await withFile(
    (file) =>
      assert.rejects(bucketKey(file, ours), fails(/has no encrypted kraft:wasabiAdminAccessKeyId, kraft:wasabiAdmin/)),
    { "kraft:backup": managed },
  );
});

test("the variable goes before the file, as for Pulumi", () => {
  assert.equal(passphraseOf({ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" }), "");
});
