import { Failure, messageOf, UsageError } from "../../errors/failure.ts";
import { Command, CommanderError } from "commander";
import { ConfigError } from "../../errors/problem.ts";
import type { Output } from "./output.ts";
import { exitCodes, type CommonOptions, type Verb } from "./verb.ts";

/** How the operator starts the tool. */
const invocation = "npm run kraft --";

/** Runs one command line and says how it ended. Nothing is thrown that the operator could have caused. */
export async function runCommandLine(
  commandArguments: readonly string[],
  verbs: readonly Verb[],
  output: Output,
): Promise<number> {
  let exitCode: number = exitCodes.fine;
  const program = programOf(verbs, output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...commandArguments], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return exitCodes.fine;
    }
    return failed(error, output);
  }
}

function failed(error: unknown, output: Output): number {
  if (error instanceof UsageError) {
    output.error(error.message);
    return exitCodes.usage;
  }
  if (error instanceof Failure || error instanceof ConfigError) {
    output.error(error.message);
    return exitCodes.wrong;
  }
  output.error(
    `a fault of this program: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`,
  );
  return exitCodes.wrong;
}

function programOf(verbs: readonly Verb[], output: Output, done: (exitCode: number) => void): Command {
  const style = output.style;
  const names = verbs.map(({ name }) => name);
  const program = new Command("kraft")
    .usage("<verb> [options]")
    .description("The operator's tool of Kraft.")
    .helpOption("-h, --help", "show this help")
    .commandsGroup("Verbs:")
    .helpCommand("help [verb]", "show the help of a verb")
    .configureHelp({ styleTitle: (title) => style.title(title), showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => {
        output.print(text);
      },
      writeErr: (text) => {
        output.note(text.trimEnd());
      },
      getOutHasColors: () => style.enabled,
      // Said once, by `failed`, together with what is allowed.
      outputError: () => undefined,
    })
    .exitOverride((error) => {
      if (error.code === "commander.help" && error.exitCode !== 0) {
        throw new UsageError(`say which verb: ${names.join(", ")}`);
      }
      throw refusal(error, `verbs: ${names.join(", ")}`, `${invocation} --help`);
    })
    .addHelpText("after", `\nExample:\n  ${invocation} check homelab\n\n${exitCodeText}`);
  for (const verb of verbs) {
    addVerb(program, verb, output, done);
  }
  return program;
}

const exitCodeText =
  "Exit codes: 0 all is well, 1 something is wrong or could not be found out, 2 the command line is wrong.";

function addVerb(program: Command, verb: Verb, output: Output, done: (exitCode: number) => void): void {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
  verb.define(command);
  command
    .option("--json", "print JSON, whose shape docs/kraft.md describes")
    .option("--directory <folder>", "folder with the stack files, in place of this checkout")
    .helpOption("-h, --help", "show this help")
    .exitOverride((error) => {
      throw refusal(error, `${verb.name} takes: ${usageOf(command)}`, `${invocation} ${verb.name} --help`);
    })
    .addHelpText("after", helpText(verb))
    .action(async () => {
      const options = command.opts<CommonOptions>();
      done(await verb.run({ operands: command.processedArgs as (string | undefined)[], options, output }));
    });
}

function helpText({ details, examples }: Verb): string {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  const blocks = [
    ...(details === undefined ? [] : [details]),
    [title, ...examples.map((line) => `  ${invocation} ${line}`)].join("\n"),
    exitCodeText,
  ];
  return `\n${blocks.join("\n\n")}`;
}

/** Every argument and option that a verb understands, on one line. */
function usageOf(command: Command): string {
  const operands = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [...operands, ...command.options.map(({ flags }) => flags), "-h, --help"].join("  ");
}

/** What the parser did not understand, in our words; help that was asked for stays as it is. */
function refusal(error: CommanderError, allowed: string, help: string): Error {
  if (error.exitCode === 0) {
    return error;
  }
  const found = error.message
    .replace(/^error: /, "")
    .replace("command", "verb")
    .replace("\n", " ");
  return new UsageError(`${found}\n  ${allowed}\n  more: ${help}`);
}
