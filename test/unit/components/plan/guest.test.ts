import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { ingressPolicy } from "../../../../components/plan/admission/ingresses.ts";
import { policySpec } from "../../../../components/plan/admission/policy.ts";
import { guestManifests, guestToken, syncConfig } from "../../../../components/plan/guest.ts";

const seed = "0123456789abcdef0123456789abcdef";

// The expected value is of `printf "k3s token of tenant acme" | openssl dgst -sha256 -hmac <seed>`.
test("a guest's token depends on the seed and the tenant alone, so that it can be had again after a fire", () => {
  assert.equal(guestToken(seed, "acme"), "6321bda699ae900a9ec2b8374191a34c0efe008d59fe1029eef06881c33607e5");
  assert.notEqual(guestToken(seed, "acme"), guestToken(seed, "blue"));
  assert.notEqual(guestToken(seed, "acme"), guestToken(`${seed}0`, "acme"));
});

const settings = { ingressClassName: "traefik", issuerName: "kraft-issuer" };

test("the guest gets the host's ingress class as its default", () => {
  const manifest = parse(
    guestManifests(settings, "acme", [], { classes: ["kraft-standard"] })["ingress-class.yaml"] ?? "",
  ) as Record<string, unknown>;
  assert.deepEqual(manifest, {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "traefik", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
    spec: { controller: "traefik.io/ingress-controller" },
  });
});

test("the guest gets the same rules for Ingresses as the host, with the tenant's domains written into them", () => {
  const manifests = parseAllDocuments(
    guestManifests(settings, "acme", ["acme.example", "acme.test"], { classes: ["kraft-standard"] })[
      "admission.yaml"
    ] ?? "",
  ).map(
    (document) => document.toJS() as { kind: string; metadata: { name: string }; spec: ReturnType<typeof policySpec> },
  );
  const inGuest = manifests.find(
    ({ kind, metadata }) => kind.endsWith("Policy") && metadata.name.endsWith("ingresses"),
  );
  const { variables = [], validations } = policySpec(ingressPolicy(settings));
  // Each rule of the host's, and what only a guest says, is a part of one message.
  const found = inGuest?.spec.variables ?? [];
  validations.forEach(({ expression }, index) => {
    const problem = found.find(({ name }) => name === `problem${index + 1}`);
    assert.ok(problem?.expression.startsWith(`(${expression}) ? '' : (`), expression);
  });
  assert.equal(found[0]?.expression, "['acme.example', 'acme.test']");
  assert.deepEqual(found.slice(1, variables.length), variables.slice(1));
  assert.equal("namespaceSelector" in (inGuest?.spec.matchConstraints ?? {}), false);
  const names = (kind: string) => manifests.filter((m) => m.kind === kind).map(({ metadata }) => metadata.name);
  assert.deepEqual(names("ValidatingAdmissionPolicyBinding"), names("ValidatingAdmissionPolicy"));
});

test("ingresses and labelled storage classes are synchronised, priority classes are not", () => {
  const sync = syncConfig({ "kraft.dev/tenant-storage": "true" });
  assert.equal(sync.ingresses.enabled, true);
  assert.deepEqual(sync.storageClasses, { enabled: true, selector: { "kraft.dev/tenant-storage": "true" } });
  assert.equal(sync.priorityClasses.enabled, false);
});
