import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import {
  type DeclaredVersions,
  declaredVersions,
  supportedMinors,
  supportProblems,
} from "../../../../infra/checks/support.ts";
import { k3kReleases } from "../../../../infra/versions.ts";
import { terminalReporter } from "../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../local/toolchain/ready.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stack } from "./example.ts";

const release = (version: string) =>
  k3kReleases.find((candidate) => candidate.version === version) ?? assert.fail(`K3k ${version}`);
const proliant = stack("proliant");
const declared = declaredVersions({ stack: proliant, k3k: release(proliant.k3kVersion) });

test("what every stack declares goes together, with every version of K3k that it may run", () => {
  for (const each of stacks.values()) {
    for (const k3k of k3kReleases) {
      assert.deepEqual(supportProblems(declaredVersions({ stack: each, k3k })), [], `${each.name}, K3k ${k3k.version}`);
    }
  }
});

describe("versions that do not support each other are refused", () => {
  const table: Readonly<Record<string, readonly [Partial<DeclaredVersions>, readonly string[]]>> = {
    "Kubernetes too new for everything": [
      { kubernetes: "1.37.0", guest: "v1.37.0-k3s1" },
      ["Talos", "Longhorn", "cert-manager", "K3k"],
    ],
    "Kubernetes too old for Longhorn and K3k": [
      { kubernetes: "1.32.9", guest: "v1.32.9-k3s1", certManager: "v1.20.0" },
      ["Longhorn", "K3k"],
    ],
    "Talos too old for Kubernetes": [{ talos: "1.11.5" }, ["Talos"]],
    "a Talos that nobody has looked at": [{ talos: "1.14.0" }, ["Talos"]],
    "a Longhorn that nobody has looked at": [{ longhorn: "1.13.0" }, ["Longhorn"]],
    "cert-manager too old for Kubernetes": [
      { certManager: "v1.20.2", kubernetes: "1.36.1", guest: "v1.36.1-k3s1" },
      ["cert-manager"],
    ],
    "a guest newer than its host": [{ guest: "v1.36.0-k3s1" }, ["v1.36.0-k3s1, on a host"]],
    "a guest two minor versions behind": [{ guest: "v1.33.9-k3s1" }, ["v1.33.9-k3s1, on a host"]],
    "an image of Traefik that its chart does not know": [{ traefik: "v3.8.0" }, ["chart 41.3.0 with image v3.8.0"]],
    "a chart of Traefik that nobody has looked at": [{ traefikChart: "42.0.0" }, ["chart 42.0.0"]],
  };
  for (const [name, [changes, found]] of Object.entries(table)) {
    test(name, () => {
      const problems = supportProblems({ ...declared, ...changes });
      assert.equal(problems.length, found.length, JSON.stringify(problems));
      found.forEach((text, index) => {
        assert.ok(problems[index]?.found.includes(text), `${text} in ${problems[index]?.found ?? ""}`);
      });
    });
  }
});

test("a guest may be one minor version behind, while the host goes first", () => {
  assert.deepEqual(supportProblems({ ...declared, kubernetes: "1.36.2", guest: "v1.35.6-k3s1" }), []);
});

test("the message says which of the two to move", () => {
  const [newer] = supportProblems({ ...declared, talos: "1.11.5" });
  assert.deepEqual(newer, {
    key: "stacks/proliant.ts, kubernetesVersion",
    found: "Kubernetes 1.35.6, with Talos 1.11.5",
    allowed: "Kubernetes 1.29 to 1.34: what Talos 1.11 supports",
    fix: "move Talos first (stacks/proliant.ts, talosVersion)",
  });
});

test("Talos' own library says the same of it", async () => {
  const tool = toolPath(await readyTools(terminalReporter(), ["talos"]), "talos-config");
  for (const [talos, [from, to]] of Object.entries(supportedMinors.Talos)) {
    for (let minor = from - 1; minor <= to + 1; minor += 1) {
      const { status, stderr } = spawnSync(tool, ["supports", `v${talos}.0`, `1.${minor}.3`], { encoding: "utf8" });
      assert.equal(status === 0, minor >= from && minor <= to, `Talos ${talos}, Kubernetes 1.${minor}: ${stderr}`);
    }
  }
});
