import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { dataLostWith } from "../../../../kraft/diff/change.ts";
import { confirmationsIn, verdictOn } from "../../../../kraft/diff/confirmation.ts";
import { change } from "./samples.ts";

const now = new Date("2026-11-23T00:30:00Z");
const loss = "the volume";
const blockedIn = (text: string, ...changes: Parameters<typeof verdictOn>[0]) =>
  verdictOn(changes, text, now).blocked.map(({ owner }) => owner);

describe("a confirmation", () => {
  const cases: readonly (readonly [what: string, text: string, holds: boolean])[] = [
    ["none", "", false],
    ["of today", "Kraft-confirm: acme 2026-11-23", true],
    ["of yesterday", "Kraft-confirm: acme 2026-11-22", true],
    ["among other text, with Windows' line ends", "Remove acme.\r\n\r\nKraft-confirm: acme 2026-11-23\r\nThanks", true],
    ["of the day before yesterday", "Kraft-confirm: acme 2026-11-21", false],
    ["of tomorrow", "Kraft-confirm: acme 2026-11-24", false],
    ["for another", "Kraft-confirm: blue 2026-11-23", false],
    ["without a date", "Kraft-confirm: acme", false],
    ["in the middle of a line", "no Kraft-confirm: acme 2026-11-23", false],
    ["with more behind it", "Kraft-confirm: acme 2026-11-23 or not", false],
    ["quoted", "> Kraft-confirm: acme 2026-11-23", false],
    ["that nobody sees", "<!--\nKraft-confirm: acme 2026-11-23\n-->", false],
    ["in a comment that does not end", "<!--\nKraft-confirm: acme 2026-11-23", false],
  ];
  for (const [what, text, holds] of cases) {
    test(what, () => {
      assert.deepEqual(blockedIn(text, change("delete", { loss })), holds ? [] : ["acme"]);
    });
  }

  test("every owner needs one", () => {
    const changes = [change("delete", { loss }), change("replace", { loss, owner: "platform" })];
    assert.deepEqual(blockedIn("Kraft-confirm: acme 2026-11-23", ...changes), ["platform"]);
    assert.deepEqual(blockedIn("Kraft-confirm: platform 2026-11-23\nKraft-confirm: acme 2026-11-22", ...changes), []);
  });

  test("the line that is asked for is the one that confirms", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/),
        fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
        (owner, day) => {
          const changes = [change("delete", { owner, loss })];
          const [blocked] = verdictOn(changes, "", day).blocked;
          const { confirmed, blocked: left } = verdictOn(changes, `Some text\n${blocked?.line ?? ""}\n`, day);
          return left.length === 0 && confirmed[0] === owner;
        },
      ),
    );
  });

  test("text without the word confirms nothing", () => {
    fc.assert(fc.property(fc.string(), (text) => text.includes("Kraft-confirm") || confirmationsIn(text).length === 0));
  });
});

describe("only what holds data is stopped, and only when it goes", () => {
  test("updates and new objects never", () => {
    assert.deepEqual(blockedIn("", change("update"), change("create")), []);
  });

  const platform = { owner: "platform", namespace: "longhorn-system" };
  const cases: readonly (readonly [holds: boolean, apiVersion: string, kind: string, name: string, more?: object])[] = [
    [true, "v1", "Namespace", "k3k-acme"],
    [true, "v1", "Namespace", "longhorn-system", platform],
    [true, "k3k.io/v1beta1", "Cluster", "acme"],
    [true, "k3k.io/v1beta1", "VirtualClusterPolicy", "tenant-acme"],
    [true, "v1", "PersistentVolume", "pv"],
    [true, "v1", "PersistentVolumeClaim", "data"],
    [true, "storage.k8s.io/v1", "StorageClass", "kraft-standard"],
    [true, "v1", "Secret", "k3k-acme-token"],
    [true, "v1", "Secret", "wasabi-backup", platform],
    [true, "longhorn.io/v1beta2", "BackupTarget", "default", platform],
    [true, "longhorn.io/v1beta2", "Volume", "pvc-1", platform],
    [true, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "volumes.longhorn.io", platform],
    [true, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "clusters.k3k.io", platform],
    [true, "pulumi/v1", "kubernetes", "host-provider", platform],
    [true, "aws:s3/bucket:Bucket", "Bucket", "backup-store-bucket", platform],
    [true, "aws:s3/bucketVersioning:BucketVersioning", "BucketVersioning", "backup-store-versioning", platform],
    [true, "aws:iam/user:User", "User", "backup-store-user", platform],
    [true, "aws:iam/userPolicy:UserPolicy", "UserPolicy", "backup-store-policy", platform],
    [true, "aws:iam/accessKey:AccessKey", "AccessKey", "backup-store-key", platform],
    [true, "pulumi/v1", "aws", "backup-store-s3", platform],
    [false, "v1", "Secret", "acme-addons"],
    [false, "v1", "ResourceQuota", "kraft-k3k"],
    [false, "networking.k8s.io/v1", "NetworkPolicy", "kraft-default-deny"],
    [false, "longhorn.io/v1beta2", "RecurringJob", "backup-daily", platform],
    [false, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "middlewares.traefik.io", platform],
    [false, "example.org/v1", "Cluster", "acme"],
  ];
  for (const [holds, apiVersion, kind, name, more] of cases) {
    test(`${kind} ${name} of ${apiVersion}: ${holds ? "holds data" : "holds none"}`, () => {
      const identity = { owner: "acme", namespace: "k3k-acme", apiVersion, kind, name, ...more };
      assert.equal(dataLostWith(identity) !== undefined, holds);
    });
  }
});
