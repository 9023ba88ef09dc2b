import assert from "node:assert/strict";
import { test } from "node:test";
import { list, quoted } from "../../../../components/plan/admission/expressions.ts";
import { guestPolicies, hostPolicies } from "../../../../components/plan/admission/policies.ts";
import { allAtOnce, bindingSpec, policySpec } from "../../../../components/plan/admission/policy.ts";
import { qosClassRule } from "../../../../components/plan/admission/qos-class.ts";
import { podSecurity } from "../../../../components/plan/pod-security.ts";

const settings = { ingressClassName: "traefik", issuerName: "kraft-issuer" };
const policies = [...hostPolicies(settings), ...guestPolicies(settings, "acme", ["acme.example"])];

test("every policy refuses what it cannot evaluate, and is put into force to deny; only the guest's hints warn", () => {
  for (const policy of policies) {
    assert.equal(policySpec(policy).failurePolicy, "Fail", policy.name);
    const action = policy.name.startsWith("kraft-tenant-hints") ? "Warn" : "Deny";
    assert.deepEqual(bindingSpec(policy).validationActions, [action, "Audit"]);
  }
  assert.ok(!hostPolicies(settings).some(({ warns }) => warns));
});

test("a policy that tells of everything at once has the same rules, each a variable, and one validation", () => {
  for (const policy of guestPolicies(settings, "acme", ["acme.example"])) {
    const { rules, variables = [] } = allAtOnce(policy);
    assert.equal(rules.length, 1);
    const problems = variables.filter(({ name }) => name.startsWith("problem") && name !== "problems");
    assert.equal(problems.length, policy.rules.length);
    policy.rules.forEach(({ expression }, index) => {
      assert.ok(problems[index]?.expression.startsWith(`(${expression}) ? '' : (`));
    });
    assert.equal(new Set(variables.map(({ name }) => name)).size, variables.length);
  }
});

test("a template in a guest has every rule that a pod in a guest has, but for the one about its status", () => {
  const rulesOf = (name: string) =>
    guestPolicies(settings, "acme", []).find((policy) => policy.name === name)?.rules ?? [];
  const ofTemplates = new Set(rulesOf("kraft-tenant-templates").map(({ message }) => message));
  assert.ok(rulesOf("kraft-tenant-pods").length > 20);
  assert.deepEqual(
    rulesOf("kraft-tenant-pods").filter(({ message }) => !ofTemplates.has(message)),
    [qosClassRule],
  );
  for (const { expression } of rulesOf("kraft-tenant-templates")) {
    assert.doesNotMatch(expression, /(?<!dyn\()object\.spec/);
  }
});

test("the class of a claim's template may be left out only where the tenant has the default one", () => {
  for (const [classes, allowed] of [
    [["kraft-standard", "kraft-bulk"], "kraft-standard, kraft-bulk, or left out: "],
    [["kraft-bulk"], "kraft-bulk: "],
  ] as const) {
    const policy = guestPolicies(settings, "acme", [], { classes }).find(
      ({ name }) => name === "kraft-tenant-templates",
    );
    const messages = policy?.rules.map(({ message }) => message) ?? [];
    for (const where of ["volumeClaimTemplates", "an ephemeral volume"]) {
      const expected = `storageClassName of ${where} must be one of ${allowed}only these are backed up`;
      assert.ok(messages.includes(expected), messages.join("\n"));
    }
  }
});

test("what stands in tenants' namespaces is looked at there, what has no namespace everywhere", () => {
  const everywhere = hostPolicies(settings).filter(({ scope }) => scope === "everywhere");
  assert.deepEqual(
    everywhere.map(({ name }) => name),
    ["kraft-tenant-namespaces", "kraft-guests", "kraft-tenant-priority-classes", "kraft-tenant-nodes"],
  );
});

test("every refusal says what to do, on the one line that Kubernetes allows", () => {
  for (const { name, rules } of policies) {
    for (const { message } of rules) {
      assert.doesNotMatch(message, /\n/, name);
      assert.ok(message.length <= 300, `${name}: ${message}`);
      assert.match(message, /[:;,]|must|may/, `${name}: ${message}`);
    }
  }
});

test("no policy looks at a label that a tenant may write to make an exception of it", () => {
  for (const { name, conditions = [], rules } of policies.filter(({ scope }) => scope === "tenants")) {
    const text = JSON.stringify([conditions, rules.map(({ expression }) => expression)]);
    assert.doesNotMatch(text, /k3k\.io\/clusterName|acme\.cert-manager\.io/, name);
  }
});

test("texts are quoted for CEL", () => {
  assert.equal(quoted("it's a \\ d"), "'it\\'s a \\\\ d'");
  assert.equal(list(["a", "b"]), "['a', 'b']");
});

test("every exception from restricted Pod Security has its reason", () => {
  const rows = [
    podSecurity.certManager,
    ...Object.values(podSecurity.traefik),
    ...Object.values(podSecurity.k3k),
    podSecurity.longhorn,
    podSecurity.tenant,
  ];
  for (const row of rows) {
    assert.ok(row.level === "restricted" || row.reason.length > 20, JSON.stringify(row));
  }
});
