import { existsSync, readdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Failure, messageOf } from "../errors/failure.ts";
import { ConfigError } from "../errors/problem.ts";
import { stacks } from "../stacks/index.ts";
import { cacheDirectory } from "./cache.ts";
import { checkGivenCharts, declaredCharts, provideCharts } from "./charts.ts";
import { kubeconfigFile } from "./control-plane.ts";
import { removeHostCluster, startHostCluster } from "./host-cluster.ts";
import { terminalReporter } from "./terminal.ts";
import { readyTools } from "./toolchain/ready.ts";

/** Where this checkout's embedded clusters are, one folder per stack. Git ignores it. */
const root = join(import.meta.dirname, "..", ".kraft", "local");

const usage = `Usage:
  npm run local [-- --stack <stack>] [--charts <folder>]   bring the platform up, or bring it up to date
  npm run local:down [-- --stack <stack>]                  stop and remove it; without --stack, every one of this checkout
  npm run --silent local:kubeconfig [-- --stack <stack>]   print the path of its kubeconfig
  npm run local:tools                                      build the programs it needs, and print where they are
Stacks: ${[...stacks.keys()].join(", ")}`;

/** Options per command; every command knows no others. */
const commands = {
  up: ["stack", "charts"],
  down: ["stack"],
  kubeconfig: ["stack"],
  tools: [],
} as const satisfies Record<string, readonly ("stack" | "charts")[]>;

/** What the user asked for. */
export function parseCommandLine(commandArguments: readonly string[]) {
  const [name = "", ...rest] = commandArguments;
  if (!Object.hasOwn(commands, name)) {
    throw new Failure(`Unknown command ${JSON.stringify(name)}.\n${usage}`);
  }
  const command = name as keyof typeof commands;
  const known: readonly string[] = commands[command];
  let values: { stack?: string; charts?: string };
  try {
    ({ values } = parseArgs({ args: rest, options: { stack: { type: "string" }, charts: { type: "string" } } }));
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
  return { command, stack: values.stack, charts: values.charts };
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

async function up(stackName: string, charts: string | undefined): Promise<void> {
  const stack = stacks.get(stackName);
  if (stack === undefined) {
    throw new Failure(`There is no stack ${stackName}.`);
  }
  const reporter = terminalReporter();
  const phases: { name: string; seconds: number }[] = [];
  const phase = async <Result>(name: string, action: () => Promise<Result>): Promise<Result> => {
    const started = Date.now();
    const result = await action();
    phases.push({ name, seconds: (Date.now() - started) / 1000 });
    return result;
  };
  const directory = join(root, stack.name);
  checkGivenCharts(charts);
  const tools = await phase("tools", () => readyTools(reporter));
  const cluster = await phase("cluster", () => startHostCluster({ stack, directory, tools, reporter }));
  try {
    // Only here, because Pulumi's SDK takes a second to load and the other commands do without it.
    const [{ openEngine, chartsFolder }, { RealWorkloads }, { summary }] = await Promise.all([
      import("./engine.ts"),
      import("./real-workloads.ts"),
      import("./summary.ts"),
    ]);
    const files = await phase("charts", () => provideCharts(chartsFolder(directory), charts, reporter));
    const engine = await phase("engine start", () => openEngine({ cluster, reporter }));
    const workloads = new RealWorkloads(cluster);
    // What an earlier run declared must answer before this one compares anything with the cluster.
    await phase("workloads", () => workloads.settle());
    const interruption = new AbortController();
    interruptEngine = () => {
      interruption.abort();
    };
    const run = await phase("pulumi up", () => workloads.during(() => engine.up(interruption.signal)));
    interruptEngine = undefined;
    await phase("K3k", async () => {
      await workloads.settle();
      await workloads.untilGuestsAreDeclared();
    });
    const lines = await summary({
      cluster,
      charts: declaredCharts(files, engine.config),
      overrides: engine.overrides,
      run,
      phases,
    });
    console.log(lines.join("\n"));
  } finally {
    cluster.api.close();
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
  for (const tool of (await readyTools(terminalReporter())).values()) {
    console.log(`${tool.name} ${tool.version} ${tool.from === "machine" ? "(of this machine) " : ""}${tool.path}`);
  }
}

async function main(): Promise<void> {
  const { command, stack, charts } = parseCommandLine(process.argv.slice(2));
  switch (command) {
    case "up":
      return up(stack ?? "local", charts);
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
