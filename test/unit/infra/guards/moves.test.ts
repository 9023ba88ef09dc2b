import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveTenant, LiveVolume } from "../../../../cluster/live-state.ts";
import { moveProblems, moveWarnings } from "../../../../infra/guards/moves.ts";
import { stagesOf } from "../../../../infra/guards/stages.ts";
import { tenant } from "../checks/example.ts";
import { live, liveTenant, model, nothing } from "./example.ts";

const now = new Date("2026-11-25T20:00:00Z");
const movedTo = { to: "proliant", at: "2026-11-25T19:00:00Z" };
const whole: LiveVolume = { name: "pvc-acme", whole: true };

/** What is said of acme, and how much of it is declared. */
function judged(
  change: Parameters<typeof tenant>[1],
  found: Partial<LiveTenant> | undefined,
  volumes: readonly LiveVolume[] = [whole],
) {
  const around = found === undefined ? nothing : live({ tenants: [liveTenant("acme", found)], volumes });
  const changed = model({ tenants: [tenant("acme", change)] });
  const staged = stagesOf(changed, around, now);
  return {
    stage: staged[0]?.stage,
    problems: moveProblems(changed, staged, around).map(({ key, found: what }) => `${key}: ${what}`),
    warnings: moveWarnings(changed, around).map(({ message }) => message),
  };
}

describe("a tenant that moves here has no guest until its data has arrived", () => {
  for (const [what, found] of [
    ["no namespace", undefined],
    ["an empty namespace", { guest: false, claims: [] }],
    ["a copy of its volumes", { guest: false }],
    ["data that came from another stack", { guest: false, arrivedFrom: "proliant" }],
  ] as const) {
    test(what, () => {
      const { stage, warnings } = judged({ from: "attic" }, found);
      assert.equal(stage, "prepared");
      assert.match(warnings.join(), /^attic: no guest yet.*npx kraft move acme copy -s homelab$/);
    });
  }
});

test("with the data the guest starts, and nothing is said", () => {
  assert.deepEqual(judged({ from: "attic" }, { guest: false, arrivedFrom: "attic" }), {
    stage: "guest",
    problems: [],
    warnings: [],
  });
});

test("a guest that runs goes on, whatever is written beside it", () => {
  assert.deepEqual(judged({ from: "attic" }, { arrivedFrom: "attic" }), { stage: "guest", problems: [], warnings: [] });
});

describe("a guest does not start over what is not whole", () => {
  const arrived = { guest: false, arrivedFrom: "attic" };
  const datastore = "varlibrancherk3s-k3k-acme-server-0";
  for (const [what, found, volumes, expected] of [
    ["a volume that is still filled", arrived, [{ ...whole, whole: false }], datastore],
    ["a claim whose volume is gone", arrived, [], datastore],
    ["no datastore", { ...arrived, claims: [] }, [whole], `${datastore}, which is not there`],
    [
      "a claim without a volume",
      { ...arrived, claims: [{ name: datastore, volume: "pvc-acme" }, { name: "media" }] },
      [whole],
      "media",
    ],
  ] as const) {
    test(what, () => {
      const { problems } = judged({ from: "attic" }, found, volumes);
      assert.deepEqual(problems, [`kraft:tenants.acme.from: "attic", and volumes that are not whole: ${expected}`]);
    });
  }
});

describe("the source stays as long as a volume follows it", () => {
  const url = "s3://kraft-backup@eu-central-2/attic/";
  const source = {
    stack: "attic",
    bucket: "kraft-backup",
    region: "eu-central-2",
    prefix: "attic",
    endpoint: "https://s3.example",
  };
  const around = live({ volumes: [whole, { name: "pvc-copy", whole: false, follows: { target: "attic", url } }] });
  for (const [what, change, expected] of [
    ["as it is", source, []],
    ["gone", undefined, [`nothing, but volumes follow the backups of attic in ${url}: pvc-copy`]],
    [
      "in another folder",
      { ...source, prefix: "cellar" },
      [`attic, s3://kraft-backup@eu-central-2/cellar/, but volumes follow the backups of attic in ${url}: pvc-copy`],
    ],
    [
      "of another name",
      { ...source, stack: "cellar" },
      [`cellar, ${url}, but volumes follow the backups of attic in ${url}: pvc-copy`],
    ],
  ] as const) {
    test(what, () => {
      const found = moveProblems(model({ source: change }), [], around);
      assert.deepEqual(
        found.map((problem) => problem.found),
        expected,
      );
    });
  }
});

describe("a tenant never runs in two clusters", () => {
  test("who moved away does not become active again", () => {
    const { problems } = judged({}, { movedTo, suspendedAt: "2026-11-25T18:00:00Z" });
    assert.match(problems.join(), /^kraft:tenants\.acme\.state: "active", but acme moved to proliant/);
  });

  for (const state of ["suspended", "archived", "purged"] as const) {
    test(`${state} is what is expected of them`, () => {
      assert.deepEqual(judged({ state }, { movedTo, guest: state !== "purged" }).problems, []);
    });
  }
});

describe("a guest keeps the token that its datastore was made with", () => {
  for (const [what, from, found, expected] of [
    ["`from` taken out", undefined, { arrivedFrom: "attic" }, /nothing, but acme came from attic/],
    ["`from` changed", "proliant", { arrivedFrom: "attic" }, /"proliant", but acme came from attic/],
    ["`from` added to one who was always here", "attic", {}, /"attic", but acme did not come from there/],
  ] as const) {
    test(what, () => {
      const { problems } = judged(from === undefined ? {} : { from }, found);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems.join(), expected);
    });
  }
});
