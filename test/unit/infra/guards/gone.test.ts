import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveState, LiveTenant } from "../../../../cluster/live-state.ts";
import type { RetainedVolume } from "../../../../cluster/retained.ts";
import { goneProblems } from "../../../../infra/guards/gone.ts";
import { stagesOf } from "../../../../infra/guards/stages.ts";
import type { Model, Tenant } from "../../../../infra/model.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model, nothing, retained } from "./example.ts";

const now = new Date("2026-11-25T20:00:00Z");
const datastoreClaim = "varlibrancherk3s-k3k-acme-server-0";

const both = [retained(datastoreClaim), retained("data")];

function around(found: Partial<LiveTenant> | undefined, more: Partial<LiveState> = {}): LiveState {
  return live({ tenants: found === undefined ? [] : [liveTenant("acme", { claims: [], ...found })], ...more });
}

/** What is refused of acme, each as `key: found`. */
function refused(declared: Partial<Tenant>, live: LiveState, change: Partial<Model> = {}): string[] {
  const of = model({ tenants: [tenant("acme", declared)], ...change });
  return goneProblems(of, stagesOf(of, live, now), live).map(({ key, found }) => `${key}: ${found}`);
}

const datastore = { name: datastoreClaim, volume: "pvc-acme" };
const data = { name: "data", volume: "pvc-data" };
const volume = { name: "pvc-acme", whole: true, lastUsedAt: "2026-11-25T18:00:30Z" };
const stopped = { guest: true, suspendedAt: "2026-11-25T18:00:00Z" };
const active = { state: "active" } as const;
const suspended = { state: "suspended" } as const;

describe("what held data and is gone is not made anew", () => {
  for (const [what, declared, live, expected] of [
    [
      "Cluster gone, claims with it",
      active,
      around({ guest: false }, { retained: both }),
      /^no guest cluster, but it had one; its volumes are retained, whose claims were there until 2026-11-25 19:00 UTC: datastore, data$/,
    ],
    [
      "the same while suspended",
      suspended,
      around({ guest: false }, { retained: both }),
      /^no guest cluster, but it had one/,
    ],
    [
      "namespace gone",
      active,
      around(undefined, { retained: both }),
      /^neither namespace k3k-acme nor guest cluster, but it had one; .*: datastore, data$/,
    ],
    ["namespace gone while suspended", suspended, around(undefined, { retained: both }), /^neither namespace/],
    [
      "only a volume without its datastore is left",
      active,
      around({ guest: false }, { retained: [retained("data")] }),
      /: data$/,
    ],
    [
      "one that was never backed up",
      active,
      around({ guest: false }, { retained: [retained("data", { lastBackupAt: undefined })] }),
      /: data \(never backed up\)$/,
    ],
    [
      "Cluster gone, claims that are going",
      active,
      around({ guest: false, claims: [{ ...datastore, isEnding: true }] }),
      /^no guest cluster, and claims that are still being deleted: datastore; its volumes are retained$/,
    ],
    [
      "Cluster being deleted",
      active,
      around({ ends: "guest", claims: [datastore] }),
      /^its guest cluster is being deleted/,
    ],
    [
      "namespace being deleted",
      active,
      around({ ends: "namespace", claims: [datastore] }),
      /^its namespace k3k-acme is being deleted/,
    ],
    [
      "the datastore's claim gone",
      active,
      around({ claims: [data] }, { retained: both.slice(0, 1) }),
      /^its guest lacks claims that it had; .*: datastore$/,
    ],
    [
      "the datastore's claim being deleted",
      active,
      around({ claims: [{ ...datastore, isEnding: true }] }),
      /^the claim of its guest's datastore is being deleted/,
    ],
    [
      "an empty volume in place of the datastore, before the guest starts on it",
      active,
      around(
        { ...stopped, claims: [{ ...datastore, volume: "pvc-new" }] },
        { retained: both.slice(0, 1), volumes: [{ name: "pvc-new", whole: true, isUnused: true }] },
      ),
      /^its guest has an empty volume in place of one with data; .*: datastore$/,
    ],
    [
      "a claim that somebody at the host deleted while the guest was stopped",
      active,
      around({ ...stopped, claims: [datastore] }, { volumes: [volume], retained: [retained("data")] }),
      /^its guest lacks claims that it had; .*: data$/,
    ],
    [
      "an archived tenant that is to run again",
      active,
      around(
        { guest: false, leaving: undefined },
        {
          retained: both.map((found) => ({
            ...found,
            lastUsedAt: "2026-09-01T00:00:00Z",
            claimEndedAt: "2026-09-02T00:00:00Z",
          })),
        },
      ),
      /^no guest cluster, but it had one/,
    ],
    [
      "who moved here, ran here, and lost the note with the namespace",
      { ...active, from: "proliant" },
      around(undefined, { retained: both }),
      /^neither namespace/,
    ],
  ] as const) {
    test(what, () => {
      const [first = "", ...others] = refused(declared, live);
      assert.deepEqual(others, []);
      assert.match(first.replace("kraft:tenants.acme: ", ""), expected);
    });
  }
});

describe("nothing is gone", () => {
  for (const [what, declared, live, change] of [
    ["all is well", active, around({ claims: [datastore, data] })],
    ["a new tenant", active, around(undefined)],
    ["a new tenant whose first run ended early", active, around({ guest: false })],
    ["a new tenant whose Cluster K3k has not seen", active, around({})],
    [
      "the tenant deleted a claim of their own",
      active,
      around({ claims: [datastore] }, { retained: [retained("data")] }),
    ],
    [
      "and made it again",
      active,
      around({ claims: [datastore, { ...data, volume: "pvc-2" }] }, { retained: [retained("data")] }),
    ],
    [
      "the tenant deleted a claim, and was suspended later",
      active,
      around(
        { ...stopped, claims: [datastore] },
        { volumes: [volume], retained: [retained("data", { claimEndedAt: "2026-11-25T17:00:00Z" })] },
      ),
    ],
    ["brought back, and about to start", active, around({ guest: false, claims: [datastore, data] })],
    [
      "brought back; a claim was deleted by the tenant long before",
      active,
      around(
        { guest: false, claims: [datastore] },
        { volumes: [volume], retained: [retained("data", { claimEndedAt: "2026-09-01T00:00:00Z" })] },
      ),
    ],
    ["its Cluster was deleted without its claims", active, around({ guest: false, claims: [datastore] })],
    ["left out on purpose", active, around(undefined, { retained: both }), { leaveOut: ["pvc-acme", "pvc-data"] }],
    ["of another tenant", active, around(undefined, { retained: [retained("data", { namespace: "k3k-blue" })] })],
    [
      "archived: volumes without claims are what it is",
      { state: "archived" },
      around({ guest: false }, { retained: both }),
    ],
    [
      "archived, and the Cluster is being deleted",
      { state: "archived" },
      around({ ends: "guest", leaving: "archived" }, { retained: both }),
    ],
    ["purged", { state: "purged" }, around(undefined, { retained: both })],
    ["it moved away", suspended, around({ guest: false, movedTo: { to: "proliant", at: "" } }, { retained: both })],
    [
      "its data is still to come, and a copy has been here",
      { ...active, from: "proliant" },
      around({ guest: false }, { retained: both.map((found) => ({ ...found, lastUsedAt: undefined })) }),
    ],
    [
      "to be suspended, since its datastore's claim is being deleted",
      suspended,
      around({ claims: [{ ...datastore, isEnding: true }] }),
    ],
    [
      "stays suspended without a claim",
      suspended,
      around({ ...stopped, claims: [datastore] }, { volumes: [volume], retained: [retained("data")] }),
    ],
    ["after a fire", active, around(undefined, { retained: both }), { phase: "restore" }],
    [
      "after a fire, everything restored",
      active,
      { ...nothing, tenants: [liveTenant("acme", { guest: false })], volumes: [volume] },
    ],
  ] as const satisfies readonly (readonly [string, Partial<Tenant>, LiveState, Partial<Model>?])[]) {
    test(what, () => {
      assert.deepEqual(refused(declared, live, change), []);
    });
  }
});

test("an empty volume under a guest that is not stopped: first that has to be", () => {
  const claims = [{ ...datastore, volume: "pvc-new" }];
  const volumes = [{ name: "pvc-new", whole: true, isUnused: true }];
  const of = model({ tenants: [tenant("acme", active)] });
  const state = around({ claims }, { retained: both.slice(0, 1), volumes });
  assert.match(
    goneProblems(of, stagesOf(of, state, now), state)[0]?.fix ?? "",
    /^state: suspended and pulumi up; then/,
  );
});

test("the way back is named: recover, or what comes before it", () => {
  const fix = (declared: Partial<Tenant>, live: LiveState): string | undefined => {
    const of = model({ tenants: [tenant("acme", declared)] });
    return goneProblems(of, stagesOf(of, live, now), live)[0]?.fix;
  };
  assert.equal(
    fix(active, around({ guest: false }, { retained: both })),
    "npx kraft recover acme plan -s homelab, then apply, then pulumi up. If it is meant to be gone: state: archived. For volumes that are not to come back: kraft:leaveOut",
  );
  assert.match(
    fix(active, around({ claims: [{ ...datastore, isEnding: true }] })) ?? "",
    /^state: suspended and pulumi up; then npx kraft recover acme plan -s homelab\./,
  );
  assert.match(
    fix(active, around({ ends: "guest" })) ?? "",
    /^wait until that is over, some minutes at most; then npx kraft recover acme plan -s homelab$/,
  );
});

describe("of several retained volumes of one claim", () => {
  const chosen = (...some: readonly RetainedVolume[]): string =>
    refused(active, around({ guest: false }, { retained: some })).join();
  const older = retained(datastoreClaim, {
    volume: "pvc-older",
    claimEndedAt: "2026-11-20T00:00:00Z",
    lastBackupAt: undefined,
  });
  test("the one that was bound last", () => {
    assert.match(chosen(older, retained(datastoreClaim)), /: datastore$/);
    assert.match(chosen(retained(datastoreClaim), older), /: datastore$/);
  });
  test("never an empty one that was made later", () => {
    const empty = retained(datastoreClaim, {
      volume: "pvc-empty",
      isUnused: true,
      claimEndedAt: "2026-11-25T19:30:00Z",
    });
    assert.match(chosen(empty, older), /: datastore \(never backed up\)$/);
  });
  test("the one that an earlier run chose", () => {
    assert.match(chosen({ ...older, isFreed: true }, retained(datastoreClaim)), /: datastore \(never backed up\)$/);
  });
});
