import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { LiveState, LiveTenant } from "../../../../cluster/live-state.ts";
import { hasGuest, type Stage } from "../../../../components/plan/lifecycle.ts";
import { phaseNames } from "../../../../infra/config/keys/platform.ts";
import { stateNames } from "../../../../infra/config/keys/tenant.ts";
import { lossProblems } from "../../../../infra/guards/losses.ts";
import { stagesOf } from "../../../../infra/guards/stages.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model, nothing } from "./example.ts";

const now = new Date("2026-11-25T20:00:00Z");

const cases: readonly (readonly [
  state: (typeof stateNames)[number],
  phase: (typeof phaseNames)[number],
  found: Partial<LiveTenant> | undefined,
  stage: Stage | undefined,
])[] = [
  ["active", "run", undefined, "guest"],
  ["active", "run", { guest: false }, "guest"],
  ["active", "run", { leaving: "archived" }, "guest"],
  ["active", "restore", undefined, "prepared"],
  ["suspended", "run", {}, "suspended"],
  ["suspended", "run", { guest: false }, "prepared"],
  ["suspended", "run", undefined, "prepared"],
  ["archived", "run", {}, "closing"],
  ["archived", "run", { leaving: "archived", deletionPermittedOn: "2026-11-25" }, "prepared"],
  ["archived", "run", { leaving: "archived", deletionPermittedOn: "2026-11-24" }, "prepared"],
  // The API server would refuse: the permission has run out, lies ahead, or is of a Kraft that wrote none.
  ["archived", "run", { leaving: "archived", deletionPermittedOn: "2026-11-23" }, "closing"],
  ["archived", "run", { leaving: "archived", deletionPermittedOn: "2026-11-26" }, "closing"],
  ["archived", "run", { leaving: "archived", deletionPermittedOn: "soon" }, "closing"],
  ["archived", "run", { leaving: "archived" }, "closing"],
  ["archived", "run", { leaving: "purged", deletionPermittedOn: "2026-11-25" }, "closing"],
  ["archived", "run", { guest: false }, "prepared"],
  ["archived", "restore", { guest: false }, "prepared"],
  ["purged", "run", { guest: false }, "removing"],
  ["purged", "run", { guest: false, leaving: "purged", deletionPermittedOn: "2026-11-25" }, undefined],
  ["purged", "run", { guest: false, leaving: "purged", deletionPermittedOn: "2026-11-23" }, "removing"],
  ["purged", "run", { guest: false, leaving: "purged" }, "removing"],
  ["purged", "run", undefined, undefined],
];

for (const [state, phase, found, stage] of cases) {
  test(`${state} in phase ${phase}, ${found === undefined ? "nothing stands" : JSON.stringify(found)}: ${stage ?? "not declared"}`, () => {
    const tenants = [tenant("acme", { state })];
    const around = found === undefined ? nothing : live({ tenants: [liveTenant("acme", found)] });
    assert.equal(stagesOf({ tenants, phase }, around, now)[0]?.stage, stage);
  });
}

test("since when a tenant is suspended is written once, and kept", () => {
  const tenants = [tenant("acme", { state: "suspended" })];
  const first = stagesOf({ tenants, phase: "run" }, live(), now);
  assert.equal(first[0]?.suspendedAt, "2026-11-25T20:00:00.000Z");
  const later = live({ tenants: [liveTenant("acme", { suspendedAt: "2026-11-01T00:00:00Z" })] });
  assert.equal(stagesOf({ tenants, phase: "run" }, later, now)[0]?.suspendedAt, "2026-11-01T00:00:00Z");
  const closing = [tenant("acme", { state: "archived" })];
  assert.equal(stagesOf({ tenants: closing, phase: "run" }, later, now)[0]?.suspendedAt, "2026-11-01T00:00:00Z");
});

test("what the next run deletes is permitted from today, and nothing else is", () => {
  const declared = stateNames.map((state) => tenant(state, { state }));
  const around = live({ tenants: declared.map(({ name, state }) => liveTenant(name, { guest: state !== "purged" })) });
  assert.deepEqual(
    stagesOf({ tenants: declared, phase: "run" }, around, now).map(({ stage, deletionPermittedOn }) => [
      stage,
      deletionPermittedOn,
    ]),
    [
      ["guest", undefined],
      ["suspended", undefined],
      ["closing", "2026-11-25"],
      ["removing", "2026-11-25"],
    ],
  );
});

test("whatever the file says and whatever stands: what the guards let through takes no guest in one step", () => {
  const anyTenant = fc.record({
    guest: fc.boolean(),
    leaving: fc.constantFrom(undefined, "archived", "purged"),
    permittedOn: fc.constantFrom(undefined, "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"),
    suspendedAt: fc.constantFrom(undefined, "2026-11-24T18:00:00Z"),
    backup: fc.constantFrom(undefined, "2026-11-24T17:00:00Z", "2026-11-25T18:00:00Z"),
    pods: fc.constantFrom([], ["web"]),
  });
  fc.assert(
    fc.property(
      anyTenant,
      fc.constantFrom(...stateNames),
      fc.constantFrom(...phaseNames),
      fc.boolean(),
      ({ guest, leaving, permittedOn, suspendedAt, backup, pods }, state, phase, listed) => {
        const found: LiveTenant = {
          ...liveTenant("acme", { guest, pods }),
          ...(leaving === undefined ? {} : { leaving }),
          ...(permittedOn === undefined ? {} : { deletionPermittedOn: permittedOn }),
          ...(suspendedAt === undefined ? {} : { suspendedAt }),
        };
        const around: LiveState = live({
          tenants: [found],
          volumes: [{ name: "pvc-acme", whole: true, ...(backup === undefined ? {} : { lastBackupAt: backup }) }],
        });
        const declared = model({ phase, tenants: listed ? [tenant("acme", { state, purge: "2026-11-25" })] : [] });
        if (!guest || lossProblems(declared, around, now).length > 0) {
          return;
        }
        const stage = stagesOf(declared, around, now)[0]?.stage;
        if (stage !== undefined && hasGuest(stage)) {
          return;
        }
        // It goes: then it was suspended and unlocked, nothing runs, and a backup holds all there was.
        assert.deepEqual(
          { leaving, suspended: suspendedAt !== undefined, pods, state },
          { leaving: "archived", suspended: true, pods: [], state: "archived" },
        );
        assert.equal(backup, "2026-11-25T18:00:00Z");
        assert.ok(permittedOn === "2026-11-24" || permittedOn === "2026-11-25", permittedOn);
      },
    ),
    { numRuns: 2000 },
  );
});
