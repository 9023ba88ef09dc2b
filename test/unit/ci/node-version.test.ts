import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { isNewEnough, neededMajor } from "../../../infra/node-version.mjs";

const root = resolve(import.meta.dirname, "../../..");
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const manifest = JSON.parse(read("package.json")) as {
  readonly main: string;
  readonly engines: { readonly node: string };
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

test("package.json says which Node is needed, and nothing says otherwise", () => {
  assert.equal(manifest.engines.node, `>=${neededMajor}`);
  assert.equal(read(".nvmrc"), `${neededMajor}\n`);
  const packages = Object.entries({ ...manifest.optionalDependencies, ...manifest.devDependencies });
  for (const [name, version] of packages.filter(([name]) => /^node-|^@types\/node$/.test(name))) {
    assert.equal(version.split(".")[0], String(neededMajor), name);
  }
});

test("workflows and pages refer to that place", () => {
  for (const name of globSync(".github/workflows/*.yml", { cwd: root })) {
    const text = read(name);
    assert.equal(text.split("node-version-file: .nvmrc").length, text.split("actions/setup-node@").length, name);
    assert.doesNotMatch(text, /node-version:/, name);
  }
  for (const name of ["README.md", "CONTRIBUTING.md", "Pulumi.yaml", ...globSync("docs/**/*.md", { cwd: root })]) {
    assert.equal(/Node(?:\.js)? \d.*|\b22\.18\b/.exec(read(name))?.[0], undefined, name);
  }
});

test("an older Node is told apart", () => {
  for (const [version, expected] of [
    ["18.19.0", false],
    [`${neededMajor - 1}.9.9`, false],
    [`${neededMajor}.0.0`, true],
    [`${neededMajor + 2}.1.0`, true],
    ["", false],
  ] as const) {
    assert.equal(isNewEnough(version), expected, version);
  }
});

test("under an older Node the program names the one that is needed, before it reads TypeScript", () => {
  assert.equal(manifest.main, "infra/main.mjs");
  const script = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } });
    const { default: program } = await import("./infra/main.mjs");
    await program().catch((error) => console.log(String(error)));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-experimental-strip-types", "--input-type=module", "--eval", script],
    { cwd: root, encoding: "utf8" },
  );
  assert.match(stdout, new RegExp(`Kraft needs Node ${neededMajor} or newer.* Node 20\\.11\\.1`), stderr);
  assert.match(stdout, /nodejs\.org/);
});
