import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { entryModules, monitoringModules, realModules } from "../../../../local/toolchain/ready.ts";
import { sourceFolder, toolModules, toolSources } from "../../../../local/toolchain/tools.ts";

test("the tools of the storage module are named after the versions that its go.mod requires", () => {
  const requirements = readFileSync(join(toolSources, "storage", "go.mod"), "utf8");
  const tools = toolModules.find(({ name }) => name === "storage")?.tools ?? [];
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["versitygw", "backup-store"],
  );
  for (const [name, path] of [
    ["versitygw", "github.com/versity/versitygw"],
    ["backup-store", "github.com/longhorn/backupstore"],
  ] as const) {
    const version = tools.find((tool) => tool.name === name)?.version ?? "";
    assert.ok(requirements.includes(`\t${path} v${version}`), `${path} is not required at v${version}`);
    // Not of PATH: another version may read what is stored otherwise.
    assert.equal(tools.find((tool) => tool.name === name)?.installed, undefined);
  }
});

/** The Go modules that our own mains are made of, where the version in the table is that of one of them. */
const madeOf: Readonly<Record<string, string>> = {
  alertmanager: "github.com/prometheus/alertmanager",
  "backup-store": "github.com/longhorn/backupstore",
  coredns: "github.com/coredns/coredns",
  "cert-manager-controller": "github.com/cert-manager/cert-manager",
  "cert-manager-webhook": "github.com/cert-manager/cert-manager",
  "cert-manager-cainjector": "github.com/cert-manager/cert-manager",
  "cert-manager-acmesolver": "github.com/cert-manager/cert-manager",
  "upstream-images": "github.com/google/go-containerregistry",
  registry: "github.com/distribution/distribution/v3",
  "k3k-kubelet-stand-in": "github.com/rancher/k3k",
  kubectl: "k8s.io/kubectl",
  "talos-config": "github.com/siderolabs/talos/pkg/machinery",
};

/** The version of a Go module that a go.mod requires; undefined where it does not. */
function required(goMod: string, path: string): string | undefined {
  return goMod
    .split("\n")
    .map((line) =>
      line
        .replace(/^require /, "")
        .trim()
        .split(" "),
    )
    .find(([name]) => name === path)?.[1];
}

test("every program has the version of the module that it is built from", () => {
  let compared = 0;
  for (const module of toolModules) {
    const goMod = readFileSync(join(sourceFolder(module), "go.mod"), "utf8");
    for (const { name, version, package: path } of module.tools) {
      const folders = path.split("/");
      // The longest beginning of the package's path that is a module of its own; ours are replaced ones, without a version.
      const candidates = path.startsWith(".")
        ? [madeOf[name]].filter((candidate) => candidate !== undefined)
        : folders.map((_, index) => folders.slice(0, folders.length - index).join("/"));
      const found = candidates
        .map((candidate) => required(goMod, candidate))
        .find((v) => v !== undefined && v !== "v0.0.0");
      if (candidates.length > 0) {
        assert.equal(found, `v${version}`, `${name} in local/tools/${module.folder ?? module.name}/go.mod`);
        compared += 1;
      }
    }
  }
  assert.ok(compared > 15, `${compared} compared`);
});

test("a program's name tells it from all others, and a group's file names do too", () => {
  const names = toolModules.flatMap(({ tools }) => tools.map(({ name }) => name));
  assert.deepEqual(names, [...new Set(names)]);
  for (const { tools } of toolModules) {
    const outputs = tools.map((tool) => tool.output ?? tool.package.split("/").at(-1));
    assert.deepEqual(outputs, [...new Set(outputs)]);
  }
});

test("what runs on nodes and in pods is never taken from the machine: it may not be static, or another version", () => {
  for (const { name, tools } of toolModules) {
    if (
      [...realModules, ...entryModules, ...monitoringModules].includes(name) &&
      !["engine", "cluster"].includes(name)
    ) {
      assert.deepEqual(
        tools.filter(({ installed }) => installed !== undefined),
        [],
      );
    }
  }
});
