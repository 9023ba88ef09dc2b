import { parseArgs } from "node:util";
import { Failure, messageOf } from "../errors/failure.ts";
import { stacks } from "../stacks/index.ts";

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
export interface CommandLine {
  readonly command: keyof typeof commands;
  readonly stack: string | undefined;
  /** A folder with charts of the user's own. */
  readonly charts: string | undefined;
  /** Whether nodes are to be simulated, also where machines are possible. */
  readonly simulated: boolean;
}

/**
 * Reads the arguments of `local/main.ts`.
 *
 * @throws Failure that names what is not known, and what is.
 */
export function parseCommandLine(commandArguments: readonly string[]): CommandLine {
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
