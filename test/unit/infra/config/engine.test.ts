import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { messageOf } from "../../../../errors/failure.ts";
import program from "../../../../infra/index.ts";
import { silentReporter } from "../../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../../local/toolchain/ready.ts";

// The engine checks the keys that Pulumi.yaml declares, and stops at the first problem. Kraft's own are not among them.

const root = join(import.meta.dirname, "..", "..", "..", "..");
const folder = mkdtempSync(join(tmpdir(), "kraft-engine-"));
let stack: automation.Stack;
let refusal = "";

/** The program, whose refusal would end the test's own process too: the Automation API runs it in here. */
async function refusedProgram(): Promise<Record<string, never>> {
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
  writeFileSync(join(folder, "Pulumi.homelab.yaml"), "config: {}\n");
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
  assert.match(refusal, /^Pulumi\.homelab\.yaml has \d+ problems\. Nothing was changed\./);
  return [...refusal.matchAll(/^ {2}(kraft:\S+)$/gm)].map(([, key = ""]) => key);
}

test("of an empty stack file the engine lets Kraft name everything that is missing", async () => {
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
