import { existsSync, readdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { ConfigError } from "../errors/problem.ts";
import { stacks } from "../stacks/index.ts";
import { cacheDirectory } from "./cache.ts";
import { checkGivenCharts } from "./charts.ts";
import { type CommandLine, parseCommandLine } from "./command-line.ts";
import { kubeconfigFile } from "./control-plane.ts";
import { chooseMachines, obstacle, surroundings } from "./home/possible.ts";
import { removeHostCluster } from "./host-cluster.ts";
import { engineRuns, handleSignals, interruption } from "./interruption.ts";
import { type Machines, readState } from "./state.ts";
import { type Reporter, terminalReporter } from "./terminal.ts";
import { entryModules, readyTools, realModules } from "./toolchain/ready.ts";
import { bringUp } from "./up.ts";

/** Where this checkout's embedded clusters are, one folder per stack. Git ignores it. */
const root = join(import.meta.dirname, "..", ".kraft", "local");

/**
 * What the nodes of a run are. Where they are simulated and nobody asked for it, a line says why.
 *
 * @param asked Whether the user asked for simulated ones.
 */
function machinesOf(stack: string, directory: string, asked: boolean, reporter: Reporter): Machines {
  const state = readState(directory);
  const earlier = state === undefined ? undefined : (state.machines ?? "simulated");
  const { machines, reason } = chooseMachines({ stack, asked, earlier, obstacle: () => obstacle(surroundings()) });
  if (reason !== undefined) {
    reporter.line(reason);
  }
  return machines;
}

async function up({ stack: name = "local", charts, simulated }: CommandLine): Promise<void> {
  const stack = stacks.get(name);
  if (stack === undefined) {
    throw new Failure(`There is no stack ${name}.`);
  }
  const reporter = terminalReporter();
  const directory = join(root, name);
  checkGivenCharts(charts);
  const platform = await bringUp({
    stack,
    directory,
    charts,
    simulated: machinesOf(name, directory, simulated, reporter) === "simulated",
    reporter,
    interruption: interruption.signal,
    engineRuns,
  });
  try {
    // Only here, because Pulumi's SDK takes a second to load and the other commands do without it.
    const { summary } = await import("./summary.ts");
    console.log((await summary(platform)).join("\n"));
  } finally {
    platform.cluster.api.close();
  }
}

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
  for (const tool of (await readyTools(terminalReporter(), [...realModules, ...entryModules])).values()) {
    console.log(`${tool.name} ${tool.version} ${tool.from === "machine" ? "(of this machine) " : ""}${tool.path}`);
  }
}

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2));
  switch (line.command) {
    case "up":
      return up(line);
    case "down":
      return down(line.stack);
    case "kubeconfig":
      kubeconfig(line.stack ?? "local");
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
