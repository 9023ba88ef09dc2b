import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";

interface Manager {
  readonly customType: string;
  readonly description: string;
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
  readonly datasourceTemplate: string;
  readonly depNameTemplate?: string;
  readonly extractVersionTemplate?: string;
}

interface Rule {
  readonly matchPackageNames?: readonly string[];
  readonly matchDatasources?: readonly string[];
  readonly minimumReleaseAge?: string;
  readonly automerge?: boolean;
  readonly groupName?: string;
}

const root = resolve(import.meta.dirname, "../../..");
const config = JSON.parse(readFileSync(join(root, "renovate.json"), "utf8")) as {
  readonly minimumReleaseAge: string;
  readonly automerge: boolean;
  readonly extends: readonly string[];
  readonly enabledManagers: readonly string[];
  readonly packageRules: readonly Rule[];
  readonly customManagers: readonly Manager[];
};

const files = ["infra/versions.ts", "local/toolchain/tools.ts", ...globSync("stacks/*.ts", { cwd: root }).sort()];

/** Where a version stands in a file. */
interface Place {
  readonly start: number;
  readonly version: string;
}

/** Every literal that is a version, or ends with one behind an equals sign, as the linker's flags do. */
function pinnedIn(text: string): Place[] {
  const literal = /"(?:[^"\n]*=)?v?(?<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)"/dg;
  return [...text.matchAll(literal)].map((match) => ({
    start: match.indices?.groups?.["version"]?.[0] ?? -1,
    version: match.groups?.["version"] ?? "",
  }));
}

/** What a manager of Renovate's finds in a file. */
function foundBy({ managerFilePatterns, matchStrings }: Manager, file: string, text: string): Place[] {
  const isMeant = managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file));
  return !isMeant
    ? []
    : matchStrings.flatMap((pattern) =>
        [...text.matchAll(new RegExp(pattern, "dg"))].map((match) => {
          const value = match.groups?.["currentValue"] ?? "";
          const prefix = value.startsWith("v") ? 1 : 0;
          return { start: (match.indices?.groups?.["currentValue"]?.[0] ?? -1) + prefix, version: value.slice(prefix) };
        }),
      );
}

for (const file of files) {
  const text = readFileSync(join(root, file), "utf8");
  const pinned = pinnedIn(text);

  describe(file, () => {
    for (const { start, version } of pinned) {
      const line = text.slice(0, start).split("\n").length;
      test(`${version} in line ${line} is updated by exactly one manager`, () => {
        const managers = config.customManagers.filter((manager) =>
          foundBy(manager, file, text).some((found) => found.start === start && found.version === version),
        );
        assert.equal(managers.length, 1, managers.map(({ description }) => description).join(", ") || "by none");
      });
    }

    test("managers find nothing else", () => {
      const found = config.customManagers.flatMap((manager) => foundBy(manager, file, text));
      assert.deepEqual(
        found.map(({ start }) => start).sort((a, b) => a - b),
        pinned.map(({ start }) => start),
      );
    });
  });
}

test("the source files pin many versions", () => {
  const count = files.flatMap((file) => pinnedIn(readFileSync(join(root, file), "utf8"))).length;
  assert.ok(count >= 25, `${count}`);
});

test("every manager finds a version", () => {
  for (const manager of config.customManagers) {
    const found = files.flatMap((file) => foundBy(manager, file, readFileSync(join(root, file), "utf8")));
    assert.ok(found.length > 0, manager.description);
    assert.equal(manager.customType, "regex");
  }
});

test("Renovate's RE2 understands the patterns", () => {
  for (const pattern of config.customManagers.flatMap(({ matchStrings }) => matchStrings)) {
    assert.doesNotMatch(pattern, /\(\?(=|!|<=|<!)|\\\d/);
  }
});

test("Go's versions begin with v, ours do not", () => {
  for (const manager of config.customManagers.filter(({ datasourceTemplate }) => datasourceTemplate === "go")) {
    assert.equal(manager.extractVersionTemplate, "^v(?<version>.+)$");
  }
});

test("a chart and the programs that the embedded cluster builds of the same version move together", () => {
  for (const [chart, module] of [
    ["traefik", "github.com/traefik/traefik/**"],
    ["cert-manager", "github.com/cert-manager/**"],
    ["metallb", "go.universe.tf/metallb"],
    ["k3k", "github.com/rancher/k3k"],
    ["longhorn", "github.com/longhorn/**"],
  ] as const) {
    const rule = config.packageRules.find(({ matchPackageNames }) => matchPackageNames?.includes(chart));
    assert.ok(rule?.matchPackageNames?.includes(module), `${chart} with ${module}`);
    assert.ok(rule?.groupName !== undefined, chart);
  }
});

test("npm packages, Go modules and actions are updated too", () => {
  assert.deepEqual(config.enabledManagers, ["npm", "gomod", "github-actions", "custom.regex"]);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d/, "every npm package is pinned");
  }
});

test("no release is used on its first day, those that hold data later still, and nothing merges by itself", () => {
  assert.equal(config.minimumReleaseAge, "3 days");
  for (const name of ["k3k", "longhorn"]) {
    const rule = config.packageRules.find(({ matchPackageNames }) => matchPackageNames?.includes(name));
    assert.equal(rule?.minimumReleaseAge, "14 days", name);
  }
  assert.equal(config.automerge, false);
  assert.ok(config.packageRules.every(({ automerge }) => automerge !== true));
  assert.equal(
    config.packageRules.find(({ matchDatasources }) => matchDatasources?.includes("helm"))?.automerge,
    false,
  );
  assert.ok(config.extends.includes("schedule:weekends"));
});
