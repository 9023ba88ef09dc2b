import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { nodeScript } from "../../../components/plan/machines/node-script.ts";
import { talosScript } from "../../../components/plan/machines/talos-script.ts";
import { k3sPlan, nodeScripts } from "../../../infra/nodes/declare.ts";
import { debianProgram } from "../../../local/toolchain/debian.ts";
import { homelab } from "../../../stacks/homelab.ts";
import { homelabMachines, homelabNodes } from "../components/plan/machines/example.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** Every file of the project, including those that are not committed yet. */
function projectFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  // A file whose removal is not committed yet is still listed.
  return listed.split("\0").filter((name) => name !== "" && existsSync(join(root, name)));
}

/** Whether a file is a shell script, by its name or by its first line. */
function isShell(name: string, text: string): boolean {
  return /\.(ba|da|k)?sh$/.test(name) || /^#!.*[/ ](ba|da|k)?sh(\s|$)/.test(text.slice(0, text.indexOf("\n") + 1));
}

/** What shellcheck reports about a script. Without a shell in the options, the script itself must name it. */
async function findingsOf(text: string, options: readonly string[] = []): Promise<string> {
  // Files that a script sources are on another machine.
  const result = spawnSync(await debianProgram("shellcheck"), ["--exclude=SC1091", ...options, "-"], {
    input: text,
    encoding: "utf8",
  });
  assert.ifError(result.error);
  assert.ok(result.status === 0 || result.status === 1, result.stderr);
  return `${result.stdout}${result.stderr}`;
}

const scripts = projectFiles()
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }))
  .filter(({ name, text }) => isShell(name, text));

describe("shellcheck finds nothing in", () => {
  for (const { name, text } of scripts) {
    test(name, async () => {
      assert.equal(await findingsOf(text), "");
    });
  }

  test("the whole script of a node on k3s", async () => {
    const plan = k3sPlan(homelab, homelabNodes, homelabMachines);
    assert.equal(await findingsOf(nodeScript(plan, plan.nodes[0] ?? assert.fail(), nodeScripts().node)), "");
  });

  test("the whole script of a machine on Talos", async () => {
    // It is for `bash -c`, and has no first line of its own.
    assert.equal(await findingsOf(talosScript(), ["--shell=bash"]), "");
  });
});

test("scripts are found by name and first line", () => {
  assert.ok(isShell("a", "#!/bin/sh\n"));
  assert.ok(isShell("a", "#!/usr/bin/env bash\ntrue\n"));
  assert.ok(isShell("a.sh", "true\n"));
  assert.ok(!isShell("a.mjs", "#!/usr/bin/env node\n"));
  assert.ok(!isShell("a.md", "text\n#!/bin/sh\n"));
  const names = scripts.map(({ name }) => name);
  for (const name of [".ci/run", "components/nodes/talos/upgrade.sh", "test/machines/stand-ins/systemctl"]) {
    assert.ok(names.includes(name), name);
  }
});

test("shellcheck finds mistakes", async () => {
  assert.match(await findingsOf("#!/bin/sh\nrm $1\n"), /SC2086/);
  assert.match(await findingsOf("rm x\n"), /SC2148/);
});
