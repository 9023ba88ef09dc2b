import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveState } from "../../../../cluster/live-state.ts";
import { lossProblems, undeclaredProblems } from "../../../../infra/guards/losses.ts";
import type { Model } from "../../../../infra/model.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model, nothing, target } from "./example.ts";

const today = new Date("2026-11-25T20:00:00Z");
const suspendedAt = "2026-11-24T18:00:00Z";

function problems(change: Partial<Model>, found: LiveState = live()): string[] {
  return lossProblems(model(change), found, today).map(({ key, found: what }) => `${key}: ${what}`);
}

describe("what takes nothing from the cluster is let through", () => {
  for (const [what, change, found] of [
    ["the file as it was carried out", {}, live()],
    ["an empty cluster", {}, nothing],
    ["one more tenant", { tenants: [tenant("acme"), tenant("blue")] }, live()],
    ["a tenant that is suspended", { tenants: [tenant("acme", { state: "suspended" })] }, live()],
    ["a new target that names the old", { backup: { ...model().backup, prefix: "new", replaces: target } }, live()],
    [
      "restore on a cluster without guests",
      { phase: "restore" },
      live({ tenants: [liveTenant("acme", { guest: false })] }),
    ],
    ["a purged tenant of whom nothing is left", { tenants: [tenant("acme", { state: "purged" })] }, nothing],
  ] as const) {
    test(what, () => {
      assert.deepEqual(problems(change, found), []);
    });
  }
});

test("a tenant that leaves the file: what would be deleted, and how to do it safely", () => {
  const [problem, ...others] = lossProblems(model({ tenants: [] }), live(), today);
  assert.deepEqual(problem, {
    key: "kraft:tenants.acme",
    found: "nothing, but the cluster has the guest cluster of acme, which would be deleted with 1 volume claim",
    allowed: "every tenant that the cluster has, in whatever state",
    fix:
      "put the entry back; to let the tenant go: state: suspended, then archived, then purged, each with a preview and " +
      "an up of its own (docs/offboarding.md)",
  });
  assert.deepEqual(others, []);
});

test("another bucket, region or prefix: Longhorn would forget every backup", () => {
  const { backup } = model();
  for (const change of [{ bucket: "other" }, { region: "eu-central-1" }, { prefix: "other" }]) {
    const [found = ""] = problems({ backup: { ...backup, ...change } });
    assert.match(found, /^kraft:backup: s3:\/\/.*, but backups are in s3:\/\/kraft-backup@eu-central-2\/homelab\//);
  }
  assert.equal(
    problems({ backup: { ...backup, prefix: "new", replaces: "s3://other@eu-central-2/homelab/" } }).length,
    1,
  );
});

test("a bucket that Kraft made does not leave the program", () => {
  assert.match(problems({}, live({ managedBucket: true })).join(), /^kraft:backup\.managed: false, but Kraft made/);
});

test("restore on a cluster with guests would delete them", () => {
  assert.match(problems({ phase: "restore" }).join(), /^kraft:phase: "restore", but guest clusters exist .*: acme$/);
});

describe("a guest is archived", () => {
  const archived = { tenants: [tenant("acme", { state: "archived" })] };
  const acme = (change: Parameters<typeof liveTenant>[1], lastBackupAt?: string): LiveState =>
    live({
      tenants: [liveTenant("acme", { suspendedAt, ...change })],
      volumes: [{ name: "pvc-acme", whole: true, ...(lastBackupAt === undefined ? {} : { lastBackupAt }) }],
    });

  test("not before it is suspended", () => {
    assert.match(problems(archived, live()).join(), /"archived", but acme is not suspended$/);
  });
  test("not while pods of its own run", () => {
    const found = acme({ pods: ["web-1", "web-2"] }, "2026-11-25T01:00:00Z");
    assert.match(problems(archived, found).join(), /"archived", but 2 pods run or may start: web-1, web-2$/);
  });
  test("not without any backup, nor with one from before it was suspended", () => {
    for (const lastBackupAt of [undefined, "2026-11-24T17:59:59Z"]) {
      assert.match(
        problems(archived, acme({}, lastBackupAt)).join(),
        /no backup of varlibrancherk3s-k3k-acme-server-0 \(since 2026-11-24T18:00:00Z\)$/,
      );
    }
  });
  test("nor with one from before its last pod ended, which wrote until then", () => {
    const found = (lastUsedAt: string): string => {
      const around = acme({}, "2026-11-24T18:30:00Z");
      const volumes = around.volumes.map((volume) => ({ ...volume, lastUsedAt }));
      return problems(archived, { ...around, volumes }).join();
    };
    assert.match(found("2026-11-24T18:30:01Z"), /server-0 \(since 2026-11-24T18:30:01Z\)$/);
    assert.equal(found("2026-11-24T18:29:59Z"), "");
    assert.equal(found("2026-11-24T17:00:00Z"), "");
  });
  test("nor with one from before a pod ended that is still listed, which Longhorn takes for one that uses it", () => {
    const { volumes } = acme({}, "2026-11-24T18:30:00Z");
    const found = (lastPodEndedAt: string): string =>
      problems(
        archived,
        acme({ claims: [{ name: "media", volume: volumes[0]?.name ?? "", lastPodEndedAt }] }, "2026-11-24T18:30:00Z"),
      ).join();
    assert.match(found("2026-11-24T18:30:01Z"), /no backup of media \(since 2026-11-24T18:30:01Z\)$/);
    assert.equal(found("2026-11-24T18:29:59Z"), "");
  });
  test("once a backup holds all there was", () => {
    assert.deepEqual(problems(archived, acme({}, "2026-11-24T18:00:00Z")), []);
  });
  test("a claim that never got a volume holds nothing", () => {
    assert.deepEqual(problems(archived, acme({ claims: [{ name: "waiting" }] })), []);
  });
});

describe("a tenant is purged", () => {
  const purged = (purge?: string) => ({
    tenants: [tenant("acme", { state: "purged", ...(purge === undefined ? {} : { purge }) })],
  });
  const archived = live({ tenants: [liveTenant("acme", { guest: false, claims: [] })] });

  test("not while its guest exists", () => {
    assert.match(problems(purged("2026-11-25")).join(), /"purged", but the cluster has the guest cluster of acme/);
  });
  test("not without a confirmation of today or yesterday", () => {
    for (const day of [undefined, "2026-11-23", "2026-11-26", "2025-11-25"]) {
      assert.match(problems(purged(day), archived).join(), /^kraft:tenants\.acme\.purge: /, day);
    }
  });
  test("with one", () => {
    for (const day of ["2026-11-25", "2026-11-24"]) {
      assert.deepEqual(problems(purged(day), archived), []);
    }
  });
});

test("kinds and a namespace that the program no longer declares", () => {
  const all = new Set([
    "Namespace/longhorn-system",
    "CustomResourceDefinition/volumes.longhorn.io",
    "CustomResourceDefinition/clusters.k3k.io",
  ]);
  assert.deepEqual(undeclaredProblems(live(), all), []);
  assert.deepEqual(undeclaredProblems(nothing, new Set()), []);
  const without = (name: string) => undeclaredProblems(live(), new Set([...all].filter((object) => object !== name)));
  assert.match(without("CustomResourceDefinition/volumes.longhorn.io")[0]?.fix ?? "", /backups in the bucket$/);
  assert.match(without("CustomResourceDefinition/clusters.k3k.io")[0]?.found ?? "", /clusters\.k3k\.io$/);
  assert.match(without("Namespace/longhorn-system")[0]?.found ?? "", /every tenant's volumes/);
});
