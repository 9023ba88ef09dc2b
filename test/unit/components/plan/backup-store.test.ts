import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bucketUserName,
  bucketUserPolicy,
  lifecycleRules,
  wasabiEndpoints,
  wasabiProvider,
} from "../../../../components/plan/backup-store.ts";
import { wasabiRegions } from "../../../../infra/config/keys/backup.ts";

const arn = "arn:aws:s3:::kraft-backup";
const policy = bucketUserPolicy("kraft-backup", "homelab");

function statement(sid: string) {
  return policy.Statement.find(({ Sid }) => Sid === sid) ?? assert.fail(sid);
}

test("every region has its S3 address, and IAM and STS have one for all", () => {
  for (const region of wasabiRegions) {
    assert.deepEqual(wasabiEndpoints(region), {
      s3: `https://s3.${region}.wasabisys.com`,
      iam: "https://iam.wasabisys.com",
      sts: "https://sts.wasabisys.com",
    });
  }
});

test("the provider never asks AWS for anything", () => {
  const { endpoints, ...settings } = wasabiProvider("us-east-1", "eu-central-2");
  assert.deepEqual(settings, {
    region: "us-east-1",
    s3UsePathStyle: true,
    skipCredentialsValidation: true,
    skipRequestingAccountId: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
  });
  assert.deepEqual(
    endpoints.flatMap((services) => Object.values(services)).map((url) => new URL(url).host),
    ["s3.eu-central-2.wasabisys.com", "iam.wasabisys.com", "sts.wasabisys.com"],
  );
});

test("no rule ever deletes a current version", () => {
  for (const { expiration } of lifecycleRules) {
    assert.deepEqual(expiration, { expiredObjectDeleteMarker: true });
  }
  assert.deepEqual(
    lifecycleRules.map(({ noncurrentVersionExpiration, abortIncompleteMultipartUploadDays: days, enabled }) => [
      noncurrentVersionExpiration.days,
      days,
      enabled,
    ]),
    [[90, 7, true]],
  );
});

test("the key reads and writes below its prefix only, and lists the bucket", () => {
  assert.deepEqual(statement("Objects").Resource, `${arn}/homelab/*`);
  assert.deepEqual(statement("List").Resource, arn);
  const allowed = policy.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
  // What Longhorn's documentation asks for.
  for (const action of ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]) {
    assert.ok(allowed.includes(action), action);
  }
  assert.ok(allowed.every((action) => !action.includes("*")));
});

test("what is denied is never allowed: versions, rules and the bucket itself", () => {
  const { Effect, Action, Resource } = statement("HistoryStays");
  assert.equal(Effect, "Deny");
  assert.deepEqual(Resource, [arn, `${arn}/*`]);
  for (const action of [
    "s3:DeleteObjectVersion",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:DeleteBucket",
    "s3:PutBucketPolicy",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketObjectLockConfiguration",
  ]) {
    assert.ok(Action.includes(action), action);
  }
  const allowed = policy.Statement.filter((other) => other.Effect === "Allow").flatMap((other) => other.Action);
  assert.deepEqual(
    Action.filter((action) => allowed.includes(action)),
    [],
  );
});

test("a user's name fits IAM: 64 characters, and for another prefix another", () => {
  assert.equal(bucketUserName("kraft-backup", "homelab"), "kraft-kraft-backup-homelab");
  assert.ok(bucketUserName("b".repeat(63), "homelab").length <= 64);
});
