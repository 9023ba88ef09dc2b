import { existsSync, readdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Failure, messageOf } from "../errors/failure.ts";
import { ConfigError } from "../errors/problem.ts";
import { stacks } from "../stacks/index.ts";
import { cacheDirectory } from "./cache.ts";
import { checkGivenCharts } from "./charts.ts";
import { kubeconfigFile } from "./control-plane.ts";
import { obstacle, surroundings } from "./home/possible.ts";
import { removeHostCluster } from "./host-cluster.ts";
import { readState } from "./state.ts";
import { type Reporter, terminalReporter } from "./terminal.ts";
import { readyTools, realModules } from "./toolchain/ready.ts";
import { bringUp } from "./up.ts";

/** Where this checkout's embedded clusters are, one folder per stack. Git ignores it. */
const root = join(import.meta.dirname, "..", ".kraft", "local");

const usage = `Usage:
  npm run local [-- --stack <stack>] [--charts <folder>]   bring the platform up, or bring it up to date
                [--simulated]                              the same without machines: nothing runs in a pod
  npm run local:down [-- --stack <stack>]                  stop and remove it; without --stack, every one of this checkout
  npm run --silent local:kubeconfig [-- --stack <stack>]   print the path of its kubeconfig
  npm run local:tools                                      build the programs it needs, and print where they are
Stacks: ${[...stacks.keys()].join(", ")}`;

const options = {
  stack: { type: "string" },
  charts: { type: "string" },
  simulated: { type: "boolean" },
} as const;

/** Options per command; every command knows no others. */
const commands = {
  up: ["stack", "charts", "simulated"],
  down: ["stack"],
  kubeconfig: ["stack"],
  tools: [],
} as const satisfies Record<string, readonly (keyof typeof options)[]>;

/** What the user asked for. */
export function parseCommandLine(commandArguments: readonly string[]) {
  const [name = "", ...rest] = commandArguments;
  if (!Object.hasOwn(commands, name)) {
    throw new Failure(`Unknown command ${JSON.stringify(name)}.\n${usage}`);
  }
  const command = name as keyof typeof commands;
  const known: readonly string[] = commands[command];
  let values: { stack?: string; charts?: string; simulated?: boolean };
  try {
    ({ values } = parseArgs({ args: rest, options }));
  } catch (error) {
    throw new Failure(`${messageOf(error)}\n${usage}`);
  }
  const foreign = Object.keys(values).find((option) => !known.includes(option));
  if (foreign !== undefined) {
    throw new Failure(`The command ${command} has no option --${foreign}.\n${usage}`);
  }
  if (values.stack !== undefined && !stacks.has(values.stack)) {
    throw new Failure(`--stack ${values.stack}: there is no such stack. Known: ${[...stacks.keys()].join(", ")}.`);
  }
  return { command, stack: values.stack, charts: values.charts, simulated: values.simulated ?? false };
}

/** Ends the engine kindly where it runs; undefined while it does not. */
let interruptEngine: (() => void) | undefined;

/**
 * What was built and what runs stays for the next run. The engine is given the time to write down what it did; a second
 * signal ends everything at once.
 */
function onSignal(name: NodeJS.Signals, code: number): void {
  process.exitCode = code;
  if (interruptEngine === undefined) {
    console.error("\nkraft: interrupted. The next run goes on from here.");
    process.exit(code);
  }
  console.error("\nkraft: interrupted; waiting for Pulumi to write down what it did (once more: end at once)");
  // A terminal has sent it to the engine too, which would take a second one as an order to end at once.
  if (name !== "SIGINT" || !process.stdin.isTTY) {
    interruptEngine();
  }
  interruptEngine = undefined;
}

/** What a run is given: the stack, the charts of the user's own, and whether nodes are simulated. */
interface Wish {
  readonly stack: string;
  readonly charts: string | undefined;
  readonly simulated: boolean;
}

async function up(wish: Wish): Promise<void> {
  const stack = stacks.get(wish.stack);
  if (stack === undefined) {
    throw new Failure(`There is no stack ${wish.stack}.`);
  }
  const reporter = terminalReporter();
  const directory = join(root, stack.name);
  checkGivenCharts(wish.charts);
  const simulated = wish.simulated || runsSimulated(directory) || cannotRunMachines(reporter);
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  const platform = await bringUp({
    stack,
    directory,
    charts: wish.charts,
    simulated,
    reporter,
    interruption: interruption.signal,
    engineRuns: (runs) => {
      interruptEngine = runs ? interrupt : undefined;
    },
  });
  try {
    const { summary } = await import("./summary.ts");
    console.log((await summary(platform)).join("\n"));
  } finally {
    platform.cluster.api.close();
  }
}

/** Whether the cluster in a folder is there already, with simulated nodes. */
function runsSimulated(directory: string): boolean {
  const state = readState(directory);
  return state !== undefined && state.machines !== "real";
}

/** Says in one line why nodes are simulated where nobody asked for it. */
function cannotRunMachines(reporter: Reporter): boolean {
  const reason = obstacle(surroundings());
  if (reason !== undefined) {
    reporter.line(`Nodes are simulated, since this machine cannot run real ones: ${reason}.`);
  }
  return reason !== undefined;
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
  for (const tool of (await readyTools(terminalReporter(), realModules)).values()) {
    console.log(`${tool.name} ${tool.version} ${tool.from === "machine" ? "(of this machine) " : ""}${tool.path}`);
  }
}

async function main(): Promise<void> {
  const { command, stack, charts, simulated } = parseCommandLine(process.argv.slice(2));
  switch (command) {
    case "up":
      return up({ stack: stack ?? "local", charts, simulated });
    case "down":
      return down(stack);
    case "kubeconfig":
      kubeconfig(stack ?? "local");
      return;
    case "tools":
      return tools();
  }
}

if (import.meta.main) {
  // Pulumi's SDK, which is loaded later, then takes half the time.
  enableCompileCache(join(cacheDirectory(), "compiled"));
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(name, () => {
      onSignal(name, code);
    });
  }
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
}
