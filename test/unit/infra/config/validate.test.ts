import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { parse } from "yaml";
import { ConfigError } from "../../../../errors/problem.ts";
import { k3kWarnings } from "../../../../infra/checks/support.ts";
import { stackFileSchema } from "../../../../infra/config/json-schema.ts";
import { nodeAddressProblems } from "../../../../infra/config/rules/addresses.ts";
import { validate } from "../../../../infra/config/validate.ts";
import { simulatedAddress } from "../../../../local/simulated-nodes.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

const valid = stackFile().raw;
const size = fc.constantFrom("small", "medium", "large");
const tenants = fc.dictionary(fc.stringMatching(/^[b-z][a-z0-9]{1,10}$/), size, { maxKeys: 8 });

function modelOf(entries: readonly (readonly [string, string])[]) {
  const declared = Object.fromEntries(
    entries.map(([name, chosen]) => [name, { domains: [`${name}.test`], size: chosen }]),
  );
  return validate("homelab", stacks, { ...valid, values: { ...valid.values, tenants: declared } });
}

test("the order of the tenants in the file changes nothing", () => {
  fc.assert(
    fc.property(tenants, (declared) => {
      const entries = Object.entries(declared).filter(
        ([name]) => !["default", "kraft", "kube", "platform", "system"].includes(name),
      );
      assert.deepEqual(modelOf(entries), modelOf(entries.toReversed()));
    }),
  );
});

test("one more tenant changes nothing about the others", () => {
  const before = modelOf([
    ["acme", "small"],
    ["coral", "large"],
  ]);
  const after = modelOf([
    ["acme", "small"],
    ["blue", "medium"],
    ["coral", "large"],
  ]);
  assert.deepEqual(
    after.tenants.filter(({ name }) => name !== "blue"),
    before.tenants,
  );
  assert.deepEqual({ ...after, tenants: [] }, { ...before, tenants: [] });
});

test("whatever a stack file holds, it is accepted or refused in words, never a crash", () => {
  const keys = fc.constantFrom(...Object.keys(valid.values), "typo");
  const values = fc.dictionary(keys, fc.jsonValue());
  fc.assert(
    fc.property(values, (changed) => {
      try {
        validate("homelab", stacks, { ...valid, values: { ...valid.values, ...changed } });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("the checked-in JSON schema is the one that the program checks with (npm run schema)", () => {
  const file = readFileSync(new URL("../../../../infra/config/stack.schema.json", import.meta.url), "utf8");
  assert.deepEqual(JSON.parse(file), JSON.parse(JSON.stringify(stackFileSchema())));
});

test("an editor that checks with the JSON schema sees what only the owner knows, a misspelt key, and nothing else", () => {
  const check = new Ajv2020({ allErrors: true, allowUnionTypes: true, validateFormats: false }).compile(
    stackFileSchema(),
  );
  const problems = (file: unknown): string[] => {
    check(file);
    return [...new Set((check.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`))].sort();
  };
  const read = (name: string) =>
    parse(readFileSync(new URL(`../../../../Pulumi.${name}.yaml`, import.meta.url), "utf8")) as {
      config: Record<string, object>;
    };
  assert.deepEqual(problems(read("local")), []);
  for (const [name, nodes] of [
    ["homelab", ["optiplex-1", "optiplex-2", "optiplex-3"]],
    ["proliant", ["proliant-1"]],
  ] as const) {
    assert.deepEqual(problems(read(name)), [
      "/config/kraft:cluster/uid pattern",
      "/config/kraft:domain pattern",
      ...(name === "homelab" ? ["/config/kraft:network/resolvers/0 pattern"] : []),
      ...nodes.map((node) => `/config/kraft:nodes/${node}/address pattern`),
    ]);
  }
  const { config } = read("local");
  const wrong = { "kraft:tenant": {}, "kraft:tenants": { acme: { domains: ["acme.example"], size: "tiny" } } };
  assert.deepEqual(problems({ config: { ...config, ...wrong } }), [
    "/config additionalProperties",
    "/config/kraft:tenants/acme/size enum",
  ]);
});

for (const [name, stack] of stacks) {
  test(`Pulumi.${name}.yaml is whole but for what only the owner or the local run knows`, () => {
    const file = parse(readFileSync(new URL(`../../../../Pulumi.${name}.yaml`, import.meta.url), "utf8")) as {
      config: Record<string, unknown>;
    };
    const written = Object.entries(file.config).map(([key, value]) => [key.replace("kraft:", ""), value] as const);
    const supplied = ["cluster", "charts", "domain", "guestTokenSeed", "wasabiAccessKeyId", "wasabiSecretAccessKey"];
    const owners = {
      ...Object.fromEntries(supplied.map((key) => [key, valid.values[key]] as const)),
      network: valid.values["network"],
      nodes: Object.fromEntries(stack.nodes.map((node, index) => [node.name, { address: `192.168.1.${index + 11}` }])),
    };
    const raw = { ...valid, values: { ...Object.fromEntries(written), ...owners } };
    const model = validate(name, stacks, raw);
    assert.ok(model.tenants.length > 0);
    assert.ok(model.replicas <= stack.nodes.length);
  });
}

for (const [name, stack] of stacks) {
  test(`the addresses of simulated nodes are accepted for ${name}, and no other range for documentation`, () => {
    const problems = (address: (node: string) => string) =>
      nodeAddressProblems(stack, {
        nodes: Object.fromEntries(stack.nodes.map((node) => [node.name, { address: address(node.name) }])),
      });
    assert.deepEqual(
      problems((node) => simulatedAddress(stack, node)),
      [],
    );
    assert.match(problems(() => "203.0.113.11")[0]?.found ?? "", /which no machine can have/);
  });
}

test("K3k 1.1.0 is warned of on several nodes, and not on one", () => {
  const [homelab, proliant] = [stacks.get("homelab"), stacks.get("proliant")];
  assert.ok(homelab && proliant);
  const k3k = validate("homelab", stacks, { ...valid, values: { ...valid.values, k3kVersion: "1.1.0" } }).k3k;
  assert.match(k3kWarnings(k3k, homelab)[0]?.message ?? "", /^known to be bad on 3 nodes/);
  assert.deepEqual(k3kWarnings(k3k, proliant), []);
});
