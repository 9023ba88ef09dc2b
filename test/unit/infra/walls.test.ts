import assert from "node:assert/strict";
import { before, test } from "node:test";
import { objectProbes } from "../../../components/plan/monitoring/object-probes.ts";
import { validate } from "../../../infra/config/validate.ts";
import { platform } from "../../../infra/platform.ts";
import { declaredWalls } from "../../../infra/walls.ts";
import { type Declared, declared } from "../../../kraft/diff/mocked-resources.ts";
import { stacks } from "../../../stacks/index.ts";
import { stackFile } from "../../fixtures/stack-file.ts";

const alerts = { ntfy: "https://ntfy.example/kraft" };
const model = {
  ...validate("homelab", stacks, stackFile().raw),
  alerts,
  entry: "192.168.1.250",
  dashboards: "grafana" as const,
};
const tenant = model.tenants[0] ?? assert.fail();
const staged = [
  { tenant, stage: "guest" as const },
  { tenant: { ...tenant, name: "paused" }, stage: "suspended" as const },
  { tenant: { ...tenant, name: "leaving" }, stage: "removing" as const, deletionPermittedOn: "2026-11-28" },
];
const walls = declaredWalls(model, staged, { ingressClassName: "traefik", issuerName: "kraft-issuer" });
let resources: Declared[];

before(async () => {
  resources = await declared("homelab", async () => {
    await platform(model, staged);
  });
});

function namesOf(kind: string): string[] {
  return resources
    .filter(({ type }) => type.endsWith(`:${kind}`))
    .map(({ inputs }) => inputs["metadata"] as { readonly name: string; readonly namespace?: string })
    .filter(({ namespace }) => namespace !== "k3k-leaving")
    .map(({ name, namespace }) => (namespace === undefined ? name : `${namespace} ${name}`))
    .sort();
}

test("every NetworkPolicy that is declared is watched, but those of a tenant who is being removed", () => {
  const watched = walls.boundaries.flatMap(({ namespace, policies }) =>
    policies.map(({ name }) => `${namespace} kraft-${name}`),
  );
  assert.deepEqual(watched.sort(), namesOf("NetworkPolicy"));
});

test("every admission policy that is declared is watched, and its binding", () => {
  const probes = objectProbes(walls).map(({ object }) => object);
  for (const [kind, plural] of [
    ["ValidatingAdmissionPolicy", "validatingadmissionpolicies"],
    ["ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"],
  ] as const) {
    const watched = probes.filter((object) => object.startsWith(`${plural} `));
    assert.deepEqual(watched.map((object) => object.slice(plural.length + 1)).sort(), namesOf(kind));
  }
});

test("what is asked of each object has a name of its own", () => {
  const names = objectProbes(walls).map(({ object }) => object);
  assert.deepEqual([...new Set(names)], names);
});
