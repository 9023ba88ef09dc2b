import { existsSync, readdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { ConfigError } from "../errors/problem.ts";
import { stacks } from "../stacks/index.ts";
import { bringUp } from "./bring-up.ts";
import { cacheDirectory } from "./cache.ts";
import { parseCommandLine } from "./command-line.ts";
import { kubeconfigFile } from "./control-plane.ts";
import { removeHostCluster } from "./host-cluster.ts";
import { handleSignals } from "./interruption.ts";
import { terminalReporter } from "./terminal.ts";
import { entryModules, monitoringModules, readyTools, realModules } from "./toolchain/ready.ts";

/** Where this checkout's embedded clusters are, one folder per stack. Git ignores it. */
const root = join(import.meta.dirname, "..", ".kraft", "local");

async function down(stackName: string | undefined): Promise<void> {
  const reporter = terminalReporter();
  const present = existsSync(root) ? readdirSync(root).filter((name) => stacks.has(name)) : [];
  const chosen = stackName === undefined ? present : present.filter((name) => name === stackName);
  for (const name of chosen) {
    if (await removeHostCluster(join(root, name), reporter)) {
      console.log(`Stopped and removed the embedded cluster ${name}.`);
    }
  }
  if (chosen.length === 0) {
    console.log(`There is no embedded cluster${stackName === undefined ? "" : ` ${stackName}`} in this checkout.`);
  }
}

function kubeconfig(stackName: string): void {
  const path = kubeconfigFile(join(root, stackName));
  if (!existsSync(path)) {
    throw new Failure(
      `There is no embedded cluster ${stackName} in this checkout. Bring it up with: npm run local -- --stack ${stackName}`,
    );
  }
  console.log(path);
}

async function tools(): Promise<void> {
  for (const tool of (
    await readyTools(terminalReporter(), [...realModules, ...entryModules, ...monitoringModules])
  ).values()) {
    console.log(`${tool.name} ${tool.version} ${tool.from === "machine" ? "(of this machine) " : ""}${tool.path}`);
  }
}

async function main(): Promise<void> {
  const { command, stack, charts, simulated, images } = parseCommandLine(process.argv.slice(2));
  switch (command) {
    case "up": {
      const name = stack ?? "local";
      return bringUp({ stack: name, directory: join(root, name), charts, simulated, images });
    }
    case "down":
      return down(stack);
    case "kubeconfig":
      kubeconfig(stack ?? "local");
      return;
    case "tools":
      return tools();
  }
}

// Pulumi's SDK, which is loaded later, then takes half the time.
enableCompileCache(join(cacheDirectory(), "compiled"));
handleSignals();
try {
  await main();
} catch (error) {
  if (process.exitCode === undefined) {
    console.error(error instanceof Failure || error instanceof ConfigError ? `\nkraft: ${error.message}` : error);
  } else {
    console.error("kraft: stopped. The next run goes on from here.");
  }
  process.exitCode ??= 1;
}
