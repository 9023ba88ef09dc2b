import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveState } from "../../../../cluster/live-state.ts";
import { type BackedUp, readsCatalogue, rebuildProblems } from "../../../../infra/guards/rebuild.ts";
import { stagesOf } from "../../../../infra/guards/stages.ts";
import type { Model, Tenant } from "../../../../infra/model.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model, nothing } from "./example.ts";

const { stack: homelab } = model();
const now = new Date("2026-11-25T20:00:00Z");
const claim = "varlibrancherk3s-k3k-acme-server-0";
const bucket: BackedUp = {
  volumes: [{ volume: "pvc-acme", namespace: "k3k-acme", claim }],
  damaged: [],
  unattached: [],
};

type Part = Pick<Model, "leaveOut" | "tenants" | "phase" | "stack">;

function part(tenants: readonly Tenant[] = [tenant("acme")], more: Partial<Part> = {}): Part {
  return { tenants, leaveOut: [], phase: "run", stack: homelab, ...more };
}

function problems(declared: Part, around: LiveState, backedUp: BackedUp = bucket): string[] {
  return rebuildProblems(declared, stagesOf(declared, around, now), around, backedUp).map(
    ({ key, found }) => `${key}: ${found}`,
  );
}

/** The cluster after `restore apply`. */
const restored: LiveState = {
  ...nothing,
  tenants: [liveTenant("acme", { guest: false })],
  volumes: [{ name: "pvc-acme", whole: true }],
};

describe("the bucket is only asked where something is about to start", () => {
  for (const [what, declared, around, expected] of [
    ["nothing new", part(), live(), false],
    ["one more tenant", part([tenant("acme"), tenant("blue")]), live(), true],
    ["a cluster without schedules", part(), live({ schedules: false }), true],
    ["the first run of all", part([]), nothing, true],
    ["in phase restore", part(undefined, { phase: "restore" }), nothing, false],
    ["an archived tenant", part([tenant("acme", { state: "archived" })]), live(), false],
  ] as const) {
    test(what, () => {
      assert.equal(readsCatalogue(declared, stagesOf(declared, around, now), around), expected);
    });
  }
});

test("a guest does not start over volumes that are only in the bucket", () => {
  assert.deepEqual(problems(part(), nothing), [
    `kraft:phase: "run", but of acme a volume is only in the bucket: ${claim} (pvc-acme)`,
  ]);
});

test("nor over one that is still being filled, or whose claim is bound to another", () => {
  assert.equal(problems(part(), { ...restored, volumes: [{ name: "pvc-acme", whole: false }] }).length, 1);
  const claims = [{ name: claim, volume: "pvc-other" }];
  assert.equal(problems(part(), { ...restored, tenants: [liveTenant("acme", { guest: false, claims })] }).length, 1);
});

test("once everything is back, and for what is left out, it does", () => {
  assert.deepEqual(problems(part(), restored), []);
  assert.deepEqual(problems(part(undefined, { leaveOut: ["pvc-acme"] }), nothing), []);
});

test("volumes of a tenant that is not in the file stop the schedules", () => {
  assert.match(problems(part([]), nothing).join(), /^kraft:tenants: no tenant of namespace k3k-acme/);
});

test("of who is archived or purged only the backups are left, and are meant to be", () => {
  for (const state of ["archived", "purged"] as const) {
    assert.deepEqual(problems(part([tenant("acme", { state })]), nothing), []);
  }
});

test("a damaged backup stops the schedules too, unless it is left out", () => {
  const entry = { volume: "pvc-1", message: "volume.cfg is no JSON" };
  for (const found of [
    { volumes: [], damaged: [entry], unattached: [] },
    { volumes: [], damaged: [], unattached: [entry] },
  ]) {
    assert.match(problems(part([]), nothing, found).join(), /pvc-1 cannot come back: volume\.cfg is no JSON$/);
    assert.deepEqual(problems(part([], { leaveOut: ["pvc-1"] }), nothing, found), []);
  }
  const older = { ...bucket, damaged: [{ volume: "pvc-acme", message: "the newest backup is damaged" }] };
  assert.deepEqual(problems(part(), restored, older), []);
});

test("while others run, only what the new tenant has in the bucket counts", () => {
  const returning = part([tenant("acme"), tenant("blue")]);
  const ofBlue = { volume: "pvc-blue", namespace: "k3k-blue", claim: "data" };
  const old = { volume: "pvc-old", namespace: "k3k-acme", claim: "deleted-last-year" };
  const damaged = [{ volume: "pvc-1", message: "damaged" }];
  assert.deepEqual(problems(returning, live(), { volumes: [old], damaged, unattached: damaged }), []);
  assert.deepEqual(problems(returning, live(), { volumes: [old, ofBlue], damaged, unattached: [] }), [
    "kraft:tenants.blue: no guest cluster, and a volume only in the bucket: data (pvc-blue)",
  ]);
});
