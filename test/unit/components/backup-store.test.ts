import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bucketUserPolicy } from "../../../components/plan/backup-store.ts";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";
import { changesBetween } from "../../../kraft/diff/rendered-changes.ts";
import { objectsOf } from "../../../kraft/diff/rendering.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

const secret = "4dabf18193072939515e22adb298388d";
const administrator = { wasabiAdminAccessKeyId: "admin-key", wasabiAdminSecretAccessKey: "admin-secret" };
let resources: Declared[];

/** The valid stack file, with the bucket in Kraft's hands. */
function managed() {
  const { raw } = stackFile();
  const { wasabiAccessKeyId: _id, wasabiSecretAccessKey: _key, ...values } = raw.values;
  return {
    values: { ...values, ...administrator, backup: { ...(values["backup"] as object), managed: true } },
    encrypted: new Set([...raw.encrypted, ...Object.keys(administrator)]),
  };
}

before(async () => {
  resources = await declared("homelab", async () => {
    const model = validate("homelab", stacks, managed());
    await platform(
      model,
      model.tenants.map((tenant) => ({ tenant, stage: "guest" as const })),
    );
  });
});

const own = (): Declared[] =>
  resources.filter(({ name }) => name.startsWith("backup-store-") && name !== "backup-store");

function find(name: string): Declared {
  return resources.find((resource) => resource.name === name) ?? assert.fail(name);
}

function plain(value: unknown): unknown {
  const wrapped = value as Record<string, unknown> | null;
  return typeof wrapped === "object" && wrapped !== null && secret in wrapped ? wrapped["value"] : value;
}

test("bucket, versioning, user, policy and key are protected, and stay at Wasabi when they leave the program", () => {
  const kept = own().filter(({ type }) => type.startsWith("aws:"));
  assert.deepEqual(
    kept.map(({ type, protect, retainOnDelete }) => [type, protect, retainOnDelete]),
    [
      ["aws:s3/bucket:Bucket", true, true],
      ["aws:s3/bucketVersioning:BucketVersioning", true, true],
      ["aws:iam/user:User", true, true],
      ["aws:iam/userPolicy:UserPolicy", true, true],
      ["aws:iam/accessKey:AccessKey", true, true],
    ],
  );
});

test("nothing is asked of the bucket that Wasabi does not know, and nothing that empties it", () => {
  const { inputs } = find("backup-store-bucket");
  assert.deepEqual(Object.keys(inputs).sort(), ["bucket", "lifecycleRules"]);
  assert.equal(inputs["bucket"], "kraft-backup");
  assert.deepEqual(find("backup-store-versioning").inputs, {
    bucket: "kraft-backup",
    versioningConfiguration: { status: "Enabled" },
  });
  assert.deepEqual(Object.keys(find("backup-store-user").inputs), ["name"]);
});

test("the user's policy is the planned one", () => {
  const { policy } = find("backup-store-policy").inputs as { readonly policy: string };
  assert.deepEqual(JSON.parse(policy), bucketUserPolicy("kraft-backup", "homelab"));
});

test("one provider signs for the bucket's region, the other for that of IAM, both with the administrator's key", () => {
  for (const [name, region] of [
    ["backup-store-s3", "eu-central-2"],
    ["backup-store-iam", "us-east-1"],
  ] as const) {
    const { inputs } = find(name);
    assert.equal(inputs["region"], region);
    assert.equal(plain(inputs["accessKey"]), "admin-key");
    assert.equal(plain(inputs["secretKey"]), "admin-secret");
    assert.ok(secret in (inputs["secretKey"] as object), "the administrator's key is a secret of the state");
  }
});

test("Longhorn gets the key of the bucket's user, and never the administrator's", () => {
  const { inputs } = find("longhorn-backup-credentials");
  const text = JSON.stringify(inputs);
  assert.match(text, /backup-store-key-id/);
  assert.doesNotMatch(text, /admin-key|admin-secret/);
});

test("to take the bucket out of the file is to lose it, in the eyes of kraft diff", () => {
  const head = resources.filter(({ name }) => !name.startsWith("backup-store"));
  const losses = changesBetween(objectsOf(resources), objectsOf(head)).filter(({ loss }) => loss !== undefined);
  assert.deepEqual(
    losses.map(({ kind, operation, refused }) => [kind, operation, refused]).sort(),
    [
      ["AccessKey", "delete", true],
      ["Bucket", "delete", true],
      ["BucketVersioning", "delete", true],
      ["User", "delete", true],
      ["UserPolicy", "delete", true],
      ["aws", "delete", true],
      ["aws", "delete", true],
    ].sort(),
  );
});
