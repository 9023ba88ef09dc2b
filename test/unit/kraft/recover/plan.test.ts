import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveState, LiveTenant } from "../../../../cluster/live-state.ts";
import { syncedName, tenantNames } from "../../../../components/plan/names.ts";
import type { CatalogueVolume } from "../../../../infra/catalogue/catalogue.ts";
import { considered, type RecoverInputs, type RecoverPlan, recoverPlan } from "../../../../kraft/recover/plan.ts";
import { live, liveTenant, retained } from "../../infra/guards/example.ts";
import { catalogue, inputs as restoreInputs, volume as backedUp } from "../restore/samples.ts";

const { datastoreClaim } = tenantNames("acme");
const claimOf = (name: string): string => syncedName("acme", { name, namespace: "default" });
const inputs: RecoverInputs = { ...restoreInputs, tenant: "acme", stack: "homelab" };
const datastore = retained(datastoreClaim);
const data = retained(claimOf("data"), { volume: "pvc-data" });
const backups = [
  backedUp("acme", "datastore", { volume: "pvc-acme" }),
  backedUp("acme", "data", { volume: "pvc-data" }),
];

function around(found: Partial<LiveTenant> | undefined, more: Partial<LiveState>): LiveState {
  return live({
    tenants: found === undefined ? [] : [liveTenant("acme", { guest: false, claims: [], ...found })],
    ...more,
  });
}

function plan(state: LiveState, volumes: readonly CatalogueVolume[] = backups, change: Partial<RecoverInputs> = {}) {
  const wanted = { ...inputs, ...change };
  return recoverPlan(considered(state, wanted), catalogue(volumes), wanted);
}

/** What becomes of which volume. */
function summary({ bound, restored, left, problems }: RecoverPlan) {
  return {
    bound: bound.map(({ volume }) => volume),
    restored: restored.map(({ volume }) => volume),
    left: left.map(({ volume }) => volume),
    problems: problems.length,
  };
}

const nothing = { bound: [], restored: [], left: [], problems: 0 };
const bothClaims = [
  { name: datastoreClaim, volume: "pvc-acme" },
  { name: claimOf("data"), volume: "pvc-data" },
];
const bothVolumes = [
  { name: "pvc-acme", whole: true, lastUsedAt: "2026-11-25T19:00:30Z" },
  { name: "pvc-data", whole: true },
];

describe("what becomes of each volume", () => {
  for (const [what, state, volumes, expected] of [
    [
      "everything is retained",
      around({}, { retained: [data, datastore] }),
      backups,
      { ...nothing, bound: ["pvc-acme", "pvc-data"] },
    ],
    [
      "without any backup",
      around({}, { retained: [data, datastore] }),
      [],
      { ...nothing, bound: ["pvc-acme", "pvc-data"] },
    ],
    [
      "the namespace is gone",
      around(undefined, { retained: [data, datastore] }),
      backups,
      { ...nothing, bound: ["pvc-acme", "pvc-data"] },
    ],
    [
      "one volume is lost",
      around({}, { retained: [datastore] }),
      backups,
      { ...nothing, bound: ["pvc-acme"], restored: ["pvc-data"] },
    ],
    ["all are lost", around({}, {}), backups, { ...nothing, restored: ["pvc-acme", "pvc-data"] }],
    [
      "the datastore is lost for good",
      around({}, { retained: [data] }),
      [],
      { ...nothing, bound: ["pvc-data"], problems: 1 },
    ],
    [
      "half of it is bound already",
      around({ claims: bothClaims.slice(0, 1) }, { volumes: bothVolumes.slice(0, 1), retained: [data] }),
      backups,
      { ...nothing, bound: ["pvc-data"] },
    ],
    ["all is bound", around({ claims: bothClaims }, { volumes: bothVolumes }), backups, nothing],
    [
      "a claim is bound, and its volume is gone",
      around({ claims: bothClaims }, { volumes: bothVolumes.slice(0, 1) }),
      backups,
      { ...nothing, restored: ["pvc-data"] },
    ],
    [
      "the tenant deleted a claim long before",
      around({}, { retained: [datastore, { ...data, claimEndedAt: "2026-10-01T00:00:00Z" }] }),
      backups,
      { ...nothing, bound: ["pvc-acme"], left: ["pvc-data"] },
    ],
    [
      "every copy of a volume is lost",
      around({}, { retained: [datastore, { ...data, isFaulted: true }] }),
      backups,
      { ...nothing, bound: ["pvc-acme"], problems: 1 },
    ],
    [
      "a later one was never backed up",
      around(
        {},
        { retained: [datastore, { ...data, volume: "pvc-later" }, { ...data, claimEndedAt: "2026-10-01T00:00:00Z" }] },
      ),
      backups,
      { ...nothing, bound: ["pvc-acme", "pvc-later"], left: ["pvc-data"] },
    ],
    ["a new tenant", around(undefined, {}), [], nothing],
    ["of another tenant", around({}, {}), [backedUp("blue", "datastore")], nothing],
  ] as const) {
    test(what, () => {
      const found = plan(state, volumes);
      assert.deepEqual(summary(found), expected);
      assert.equal(found.refused, null);
    });
  }
  test("what the file leaves out, comes neither from a volume nor from a backup", () => {
    const found = plan(around({}, { retained: [datastore, data] }), backups, { leaveOut: ["pvc-data"] });
    assert.deepEqual(summary(found), { ...nothing, bound: ["pvc-acme"] });
  });
});

test("of several volumes it says which one and why, and what an empty one is", () => {
  const older = { ...data, volume: "pvc-older", claimEndedAt: "2026-11-02T10:00:00Z" };
  const two = plan(around({}, { retained: [datastore, older, data] }));
  assert.equal(two.bound[1]?.volume, "pvc-data");
  assert.equal(
    two.bound[1].because,
    "its claim was there last: until 2026-11-25 19:00 UTC, that of pvc-older until 2026-11-02 10:00 UTC",
  );
  const state = around(
    { guest: true, suspendedAt: "2026-11-25T20:00:00Z", claims: [{ name: datastoreClaim, volume: "pvc-new" }] },
    { retained: [datastore], volumes: [{ name: "pvc-new", whole: true, isUnused: true }] },
  );
  assert.deepEqual(plan(state, []).bound[0]?.replaces, "pvc-new");
});

describe("what has to come first", () => {
  const gone = { retained: [datastore, data] };
  for (const [what, state, change, expected] of [
    [
      "archived",
      around({}, gone),
      { tenants: [{ ...restoreInputs.tenants[0], state: "archived" as const }] },
      /^it is archived in the stack file/,
    ],
    ["moved away", around({ movedTo: { to: "proliant", at: "" } }, gone), {}, /^it moved to proliant/],
    [
      "still to come",
      around({}, {}),
      { tenants: [{ ...restoreInputs.tenants[0], from: "proliant" }] },
      /^its data has not arrived from proliant: npx kraft move acme$/,
    ],
    [
      "the guest is being deleted",
      around({ guest: true, ends: "guest" }, gone),
      {},
      /^its guest cluster is being deleted.*: wait until that is over, then npx kraft recover acme plan -s homelab$/,
    ],
    [
      "claims are being deleted",
      around({ claims: [{ name: "data", volume: "v", isEnding: true }] }, gone),
      {},
      /^no guest cluster, and claims that are still being deleted: data: wait/,
    ],
    [
      "the datastore's claim is being deleted under a guest that runs",
      around({ guest: true, claims: [{ name: datastoreClaim, volume: "v", isEnding: true }] }, {}),
      {},
      /First let its guest end: state: suspended, pulumi up -s homelab, kubectl delete pods/,
    ],
    [
      "the guest runs over an empty datastore",
      around(
        { guest: true, claims: [{ name: datastoreClaim, volume: "pvc-new" }] },
        {
          retained: [datastore],
          volumes: [
            { name: "pvc-new", whole: true, createdAt: "2026-11-25T19:00:05Z", lastUsedAt: "2026-11-25T20:00:00Z" },
          ],
        },
      ),
      {},
      /^its guest runs over a datastore that was made anew on 2026-11-25 19:00 UTC \(pvc-new\); the one before, pvc-acme, is retained.*apply --claim datastore --volume pvc-acme -s homelab\./,
    ],
  ] as const) {
    test(what, () => {
      assert.match(plan(state, [], change).refused ?? "", expected);
    });
  }
  test("nothing, where the operator chose an earlier datastore or day", () => {
    const of = (change: object): string | null =>
      plan(
        around(
          { guest: true, claims: [{ name: datastoreClaim, volume: "pvc-new" }] },
          {
            retained: [datastore],
            volumes: [{ name: "pvc-new", whole: true, createdAt: "2026-11-25T19:00:05Z", ...change }],
          },
        ),
        [],
      ).refused;
    assert.equal(of({ isRestored: true }), null);
    assert.equal(of({ createdAt: "2026-10-01T00:00:00Z" }), null);
  });
});
