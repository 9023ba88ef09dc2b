import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readBundle, writeBundle } from "../../../../kraft/onboard/bundle.ts";
import { tenantFiles } from "../../../../kraft/welcome/files.ts";

const parent = mkdtempSync(join(tmpdir(), "kraft-bundles-"));
after(() => {
  rmSync(parent, { recursive: true });
});

const texts = { [tenantFiles.sheet]: "a sheet", [tenantFiles.kubeconfig]: "a key", [tenantFiles.sample]: "an app" };

function written(name: string, tenant = "acme"): string {
  const folder = join(parent, name);
  writeBundle(readBundle(folder, tenant), texts);
  return folder;
}

test("a bundle is for its user alone, and holds nothing else than its files and their record", () => {
  const folder = written("new");
  assert.deepEqual(readdirSync(folder).sort(), [".kraft-onboard.json", "README.md", "kubeconfig.yaml", "sample.yaml"]);
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.ok(!readFileSync(join(folder, ".kraft-onboard.json"), "utf8").includes("a key"));
});

test("again with the same texts nothing is written; with another one only that file", () => {
  const folder = written("again");
  assert.deepEqual(writeBundle(readBundle(folder, "acme"), texts), []);
  assert.deepEqual(writeBundle(readBundle(folder, "acme"), { ...texts, [tenantFiles.sheet]: "another" }), [
    "README.md",
  ]);
  assert.equal(readFileSync(join(folder, "README.md"), "utf8"), "another");
  assert.equal(readBundle(folder, "acme").present.size, 3);
});

test("a run that ended before the first file, or between two, is taken up", () => {
  const folder = written("interrupted");
  const record = join(folder, ".kraft-onboard.json");
  const before = readFileSync(record, "utf8");
  writeBundle(readBundle(folder, "acme"), { ...texts, [tenantFiles.sheet]: "another" });
  const { tenant, files } = JSON.parse(readFileSync(record, "utf8")) as { tenant: string; files: object };
  // As it is between the record's two writings: the old text and the new one are known.
  const both = Object.fromEntries(
    Object.entries(files).map(([name, list]: [string, string[]]) => [
      name,
      [...((JSON.parse(before) as { files: Record<string, string[]> }).files[name] ?? []), ...list],
    ]),
  );
  writeFileSync(record, JSON.stringify({ tenant, files: both }));
  assert.equal(readBundle(folder, "acme").present.get("README.md"), "another");
  writeFileSync(join(folder, "README.md"), "a sheet");
  assert.equal(readBundle(folder, "acme").present.get("README.md"), "a sheet");
});

for (const [what, change] of [
  [
    "changed by somebody",
    (folder: string) => {
      writeFileSync(join(folder, "sample.yaml"), "my own");
    },
  ],
  [
    "there without a record",
    (folder: string) => {
      rmSync(join(folder, ".kraft-onboard.json"));
    },
  ],
  [
    "there with a damaged record",
    (folder: string) => {
      writeFileSync(join(folder, ".kraft-onboard.json"), "{");
    },
  ],
] as const) {
  test(`a file that is ${what} is never replaced`, () => {
    const folder = written(what.replaceAll(" ", "-"));
    change(folder);
    assert.throws(() => readBundle(folder, "acme"), { name: "Failure", message: /sample\.yaml .*nothing was written/ });
  });
}

test("a link in the place of a file is not followed", () => {
  const folder = written("link");
  rmSync(join(folder, "kubeconfig.yaml"));
  symlinkSync("/dev/null", join(folder, "kubeconfig.yaml"));
  assert.throws(() => readBundle(folder, "acme"), { name: "Failure", message: /is not a file: nothing was written/ });
});

test("another tenant's folder is refused", () => {
  const folder = written("taken");
  assert.throws(() => readBundle(folder, "blue"), { name: "Failure", message: /has what acme gets.*\n.*for blue/ });
});
