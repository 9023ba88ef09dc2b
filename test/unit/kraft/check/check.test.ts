import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Checked, checkText, inspect } from "../../../../kraft/check/run.ts";
import { Style } from "../../../../kraft/cli/output.ts";
import { type Stack, stacks } from "../../../../stacks/index.ts";
import { folderWith, kraft } from "../../../fixtures/kraft/command.ts";

const plain = new Style(false);
const today = new Date("2026-11-23T12:00:00Z");

function homelab(): Stack {
  return stacks.get("homelab") ?? assert.fail("no stack homelab");
}

test("a file without problems: exit code 0, tables and warnings; secrets count as present without the passphrase", () =>
  folderWith({}, async (directory) => {
    const { code, stdout, stderr } = await kraft(["check", "homelab", "--directory", directory]);
    assert.equal(stderr, "");
    assert.match(stdout, /^homelab: three Dell OptiPlex Micros on k3s\n/);
    assert.match(stdout, /\nPulumi\.homelab\.yaml has no problems\.\n$/);
    assert.equal(code, 0);
  }));

test("problems: exit code 1, each with what was found, what is allowed and how to fix it", () =>
  folderWith({ "kraft:domain": "homelab.invalid", "kraft:tenant": {} }, async (directory) => {
    const { code, stdout } = await kraft(["check", "--directory", directory]);
    assert.ok(stdout.includes("Pulumi.homelab.yaml has 2 problems.\n\n  kraft:domain\n    found:   "), stdout);
    assert.ok(stdout.includes("  kraft:tenant\n    found:   an unknown key\n    allowed: the keys of Kraft"), stdout);
    assert.equal(code, 1);
  }));

test("Kraft's own example says which verb writes a file of the operator's own", () => {
  const cluster = { kubeconfig: "kubeconfig", context: "kraft", uid: "00000000-0000-0000-0000-000000000000" };
  return folderWith({ "kraft:domain": "homelab.invalid", "kraft:cluster": cluster }, (directory) => {
    const { checked } = inspect(homelab(), directory, today);
    const hint = "npx kraft init homelab asks for what only you know, and measures the rest.";
    assert.equal(checkText(checked, plain).at(-1), hint);
    const problems = checked.problems.filter(({ key }) => key !== "kraft:domain");
    assert.ok(!checkText({ ...checked, problems }, plain).includes(hint));
  });
});

test("--json: the documented shape, and the same exit code", () =>
  folderWith({ "kraft:domain": "homelab.invalid" }, async (directory) => {
    const { code, stdout } = await kraft(["check", "--json", "--directory", directory]);
    const { stacks: results } = JSON.parse(stdout) as { stacks: Checked[] };
    assert.deepEqual(Object.keys(results[0] ?? {}), [
      "stack",
      "description",
      "file",
      "ok",
      "tables",
      "warnings",
      "problems",
      "dns",
    ]);
    assert.equal(results.length, 1);
    assert.equal(results[0]?.ok, false);
    assert.equal(results[0].dns, null);
    assert.deepEqual(
      results[0].problems.map(({ key }) => key),
      ["kraft:domain"],
    );
    assert.equal(code, 1);
  }));

test("without a stack every one that has a file, the embedded one with what `npm run local` supplies", async () => {
  const { stdout } = await kraft(["check", "--json"]);
  const { stacks: results } = JSON.parse(stdout) as { stacks: Checked[] };
  assert.deepEqual(
    results.map(({ stack }) => stack),
    ["homelab", "proliant", "local"],
  );
  assert.deepEqual(results.find(({ stack }) => stack === "local")?.problems, []);
});

test("a file that is no YAML is a problem, not a crash", () =>
  folderWith({}, async (directory) => {
    writeFileSync(join(directory, "Pulumi.homelab.yaml"), "config:\n  kraft:domain: [\n");
    const { code, stdout } = await kraft(["check", "homelab", "--directory", directory]);
    assert.match(stdout, /has 1 problem\.\n\n {2}kraft:domain\n {4}found: {3}line 3, column 1: /);
    assert.equal(code, 1);
  }));

test("a key that is encrypted and need not be cannot be checked, which is said once", () =>
  folderWith({ "kraft:cluster": { kubeconfig: { secure: "v1:x:y" } } }, (directory) => {
    const { problems } = inspect(homelab(), directory, today).checked;
    assert.deepEqual(
      problems.map(({ key, found }) => `${key} ${found}`),
      ["kraft:cluster an encrypted value, which only a preview can read"],
    );
  }));

test("a key that is left out has its default, as in a preview", () =>
  folderWith({ "kraft:charts": undefined, "kraft:k3kVersion": 1.1 }, (directory) => {
    const { problems } = inspect(homelab(), directory, today).checked;
    assert.deepEqual(
      problems.map(({ key, found }) => `${key} ${found}`),
      ['kraft:k3kVersion "1.1"'],
    );
  }));

test("the text: tables, warnings, problems, in this order", () => {
  const lines = checkText(
    {
      stack: "homelab",
      description: "three machines",
      file: "Pulumi.homelab.yaml",
      ok: false,
      tables: [
        {
          title: "Capacity",
          rows: [
            ["what", "used"],
            ["memory", "81 %"],
          ],
        },
      ],
      warnings: [{ key: "capacity", message: "memory is nearly full" }],
      problems: [{ key: "kraft:domain", found: "x", allowed: "y", fix: "z" }],
      dns: null,
    },
    plain,
  );
  assert.equal(
    lines.join("\n"),
    `homelab: three machines

Capacity
  what    used
  memory  81 %

1 warning
  capacity: memory is nearly full

Pulumi.homelab.yaml has 1 problem.

  kraft:domain
    found:   x
    allowed: y
    fix:     z`,
  );
});
