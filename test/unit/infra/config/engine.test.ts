import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { messageOf } from "../../../../errors/failure.ts";
import { readConfig } from "../../../../infra/config/read.ts";
import { keysReadOtherwise } from "../../../../infra/config/stack-file.ts";
import program from "../../../../infra/index.ts";
import { silentReporter } from "../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../local/toolchain/ready.ts";
import { stacks } from "../../../../stacks/index.ts";

// The engine checks the keys that Pulumi.yaml declares, and stops at the first problem. Kraft's own are not among them.

const root = join(import.meta.dirname, "..", "..", "..", "..");
const folder = mkdtempSync(join(tmpdir(), "kraft-engine-"));
let stack: automation.Stack;
let refusal = "";
let readOtherwise: readonly string[] = [];

/** The program, whose refusal would end the test's own process too: the Automation API runs it in here. */
async function refusedProgram(): Promise<Record<string, never>> {
  readOtherwise = keysReadOtherwise(stacks.get("homelab") ?? assert.fail(), folder, readConfig().raw);
  await program().catch((error: unknown) => {
    refusal = messageOf(error);
  });
  return {};
}

before(async () => {
  const tools = await readyTools(silentReporter, ["engine"]);
  mkdirSync(join(folder, "cli", "bin"), { recursive: true });
  symlinkSync(toolPath(tools, "pulumi"), join(folder, "cli", "bin", "pulumi"));
  cpSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  writeFileSync(join(folder, "Pulumi.homelab.yaml"), "config:\n  kraft:phase: run\n");
  stack = await automation.LocalWorkspace.createOrSelectStack(
    { stackName: "homelab", projectName: "kraft", program: refusedProgram },
    {
      workDir: folder,
      pulumiHome: join(folder, "home"),
      pulumiCommand: await automation.PulumiCommand.get({ root: join(folder, "cli") }),
      envVars: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "unit test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );
});

after(() => {
  rmSync(folder, { recursive: true });
});

/** The keys that a preview complains of, as Kraft's message names them. */
async function refusedKeys(): Promise<string[]> {
  refusal = "";
  await stack.preview();
  assert.deepEqual(readOtherwise, [], "the verbs read it as the engine does");
  assert.match(refusal, /^Pulumi\.homelab\.yaml has \d+ problems\. Nothing was changed\./);
  return [...refusal.matchAll(/^ {2}(kraft:\S+)$/gm)].map(([, key = ""]) => key);
}

test("of a stack file without values the engine lets Kraft name everything that is missing", async () => {
  assert.deepEqual(await refusedKeys(), [
    "kraft:backup",
    "kraft:cluster",
    "kraft:domain",
    "kraft:guestTokenSeed",
    "kraft:issuer",
    "kraft:network",
    "kraft:nodes",
    "kraft:tenants",
  ]);
});

test("what `pulumi config set --path` writes has the types that the schema wants", async () => {
  for (const [key, value] of [
    ["kraft:nodes.optiplex-1.address", "192.168.1.11"],
    ["kraft:nodes.optiplex-2.address", "192.168.1.12"],
    ["kraft:nodes.optiplex-3.address", "192.168.1.13"],
    ["kraft:network.resolvers[0]", "192.168.1.1"],
    ["kraft:network.hairpin", "false"],
    ["kraft:capacity.overcommit", "2"],
    ["kraft:expiry.domain", "2027-01-31"],
    ["kraft:phase", "restore"],
  ] as const) {
    await stack.setConfig(key, { value }, true);
  }
  assert.deepEqual(await refusedKeys(), [
    "kraft:backup",
    "kraft:cluster",
    "kraft:domain",
    "kraft:guestTokenSeed",
    "kraft:issuer",
    "kraft:tenants",
  ]);
});

test("whatever the reader accepts, the engine reads likewise", async () => {
  writeFileSync(
    join(folder, "Pulumi.homelab.yaml"),
    `\uFEFF---
config:
  "kraft:domain": 'it''s' # a comment
  kraft:phase: yes
  kraft:timezone: 12:30
  kraft:k3kVersion: 1.50
  kraft:issuer:
  kraft:cluster: '{"context": "json"}'
  kraft:line: {a: 1, b: .5, c: 1e3, d: -0.25, e: +5, f: 4., g: ~, h: no, i: True, j: 1e, k: 0o8, l: 2027-13-45}
  kraft:machines: { again: 2026-11-25 }
  kraft:expiry: { domain: 2027-01-31, other: 2027-1-3, quoted: "2027-01-31", 2027-02-01: x, 1.0: y }
  kraft:prices: {
    "a":1, b , c: }
  kraft:backup: [a, b,]
  kraft:network:
    resolvers:
    - "*.a"
    - http://a:1
    - a::b
    - c: d
      ? e
      : f
  kraft:tenants:
    acme: >-
      folded
      text

      of lines
    blue: |
      kept
        text
    coral: plain
      of two lines
    dora: "a
      b\\u00fc\\n"
    emil: {__proto__: 1, constructor: 2}
    fritz: {secure: a, b: c}
  kraft:storage: m\u00fcller\u00a0x
  aws:region: eu-central-1
...
`,
  );
  await refusedKeys();
});
