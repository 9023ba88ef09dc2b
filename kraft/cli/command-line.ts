import { Argument, Command, CommanderError, Option } from "commander";
import { Failure, messageOf, UsageError } from "../../errors/failure.ts";
import { ConfigError, show } from "../../errors/problem.ts";
import { type Output, wrapped } from "./output.ts";
import { type CommonOptions, invocation, type Verb } from "./verb.ts";

/** What an exit code tells scripts. */
const exitCodes = { fine: 0, wrong: 1, usage: 2 } as const;

const exitCodeText = "Exit codes: 0 all is well, 1 something is wrong or unknown, 2 wrong command line";

/** Runs one command line and returns its exit code. Nothing is thrown that the operator could have caused. */
export async function runCommandLine(
  words: readonly string[],
  verbs: readonly Verb[],
  output: Output,
): Promise<number> {
  let exitCode: number = exitCodes.fine;
  const program = programOf(verbs, output, (ok) => {
    exitCode = ok ? exitCodes.fine : exitCodes.wrong;
  });
  try {
    if (words[0] === "--version" || words[0] === "-V") {
      const { version } = await import("./version.ts");
      output.print(`kraft ${version()}\n`);
    } else {
      await program.parseAsync(withKnownHelp(words, verbs), { from: "user" });
    }
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return exitCodes.fine;
    }
    return failed(error, output);
  }
}

/** Asks for the help of a verb that exists. Of one that does not, the parser gets the name alone and suggests another. */
function withKnownHelp(words: readonly string[], verbs: readonly Verb[]): readonly string[] {
  const [first, second] = words;
  const asked = first === "help" && second !== undefined ? [second, "--help"] : words;
  const [name = "help"] = asked;
  return name.startsWith("-") || name === "help" || verbs.some((verb) => verb.name === name) ? asked : [name];
}

function failed(error: unknown, output: Output): number {
  const isExpected = error instanceof UsageError || error instanceof Failure || error instanceof ConfigError;
  const internal = error instanceof Error ? error.stack : undefined;
  output.error(isExpected ? error.message : `internal error: ${internal ?? messageOf(error)}`);
  return error instanceof UsageError ? exitCodes.usage : exitCodes.wrong;
}

/** The parser, with everything that help shows. `ended` is told whether all is well once a verb has run. */
export function programOf(
  verbs: readonly Verb[],
  output: Output,
  ended: (ok: boolean) => void = () => undefined,
): Command {
  const { style, width } = output;
  const names = verbs.map(({ name }) => name).join(", ");
  const program = new Command("kraft")
    .usage("<verb> [options]")
    .description("The tool for the operator of a Kraft platform.")
    .option("-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .commandsGroup("Verbs:")
    .helpCommand("help [verb]", "show the help of a verb")
    .configureHelp({
      styleTitle: (title) => style.title(title),
      subcommandTerm: (command) => command.name(),
      // What still works without being shown has no description.
      visibleArguments: (command) => command.registeredArguments.filter(({ description }) => description !== ""),
    })
    .configureOutput({
      writeOut: (text) => {
        output.print(text);
      },
      writeErr: (text) => {
        output.note(text.trimEnd());
      },
      getOutHasColors: () => style.enabled,
      getOutHelpWidth: () => width,
      // `failed` prints it, together with what is allowed.
      outputError: () => undefined,
    })
    .exitOverride((error) => {
      if (error.code === "commander.help" && error.exitCode !== 0) {
        throw new UsageError(`say which verb: ${names}`);
      }
      throw refusal(error, `verbs: ${names}`, `${invocation} --help`);
    })
    .addHelpText("after", helpText([], ["check -s homelab"], width));
  for (const verb of verbs) {
    const command = addVerb(program, verb, output);
    command.action(async () => {
      const given = givenTo(verb, command);
      const { run } = await verb.load();
      const { json, text, ok = true } = await run(given as never, output, verbs);
      if (given.json === true) {
        output.printJson(json);
      } else {
        output.print(text);
      }
      ended(ok);
    });
  }
  return program;
}

function addVerb(program: Command, verb: Verb, output: Output): Command {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
  const phases = Object.entries(verb.phases ?? {});
  for (const [syntax, description] of verb.operands ?? []) {
    command.argument(syntax, description);
  }
  if (phases.length > 0) {
    // `givenTo` refuses other phases, after it has read the old forms.
    const argChoices = phases.map(([name]) => name);
    command.addArgument(Object.assign(new Argument("[phase]", "what to do"), { argChoices }));
  }
  command.usage(["[options]", ...operandsOf(verb)].join(" "));
  if (verb.old?.stackOperand) {
    command.argument("[stackOperand]");
  }
  for (const [syntax, description] of verb.options ?? []) {
    command.option(syntax, description);
  }
  if (verb.old?.phaseOptions) {
    for (const [name] of phases) {
      command.addOption(new Option(`--${name}`).hideHelp());
    }
  }
  const defaultStack = verb.defaultStack ?? "the only one whose file names its cluster";
  command
    .option("-s, --stack <stack>", `stack; default: ${defaultStack}`)
    .option("--directory <folder>", "folder with the stack files; default: this checkout")
    .option("--json", "print JSON, as docs/kraft.md describes it")
    .helpOption("-h, --help", "show this help")
    .exitOverride((error) => {
      const options = command.options.filter(({ hidden }) => !hidden).map(({ flags }) => `[${flags}]`);
      const allowed = [...operandsOf(verb), ...options].join(" ");
      throw refusal(error, `${verb.name} takes: ${allowed}`, `${invocation} ${verb.name} --help`);
    })
    .addHelpText("after", helpText(paragraphs(verb), verb.examples, output.width));
  return command;
}

/** Operands and options by name, an old way to write them put in today's. */
function givenTo({ phases = {}, needsPhase = false, old = {} }: Verb, command: Command): CommonOptions {
  const options = command.opts<CommonOptions & Record<string, unknown>>();
  const operands: Record<string, string | undefined> = Object.fromEntries(
    command.registeredArguments.map((argument, index) => [argument.name(), command.processedArgs[index] as string]),
  );
  const names = Object.keys(phases);
  const asOptions = old.phaseOptions === true ? names.filter((name) => options[name] === true) : [];
  const isOld = asOptions.length > 0;
  const phase = isOld ? asOptions.join(" and ") : operands["phase"];
  const stackOperand = isOld ? operands["phase"] : (operands["stackOperand"] ?? operands["stack"]);
  if (phase === undefined ? needsPhase : !names.includes(phase)) {
    const found = phase === undefined ? "no phase is given" : `there is no phase ${show(phase)}`;
    throw new UsageError(`${found}\n  allowed: ${names.join(", ")}`);
  }
  const { stack = stackOperand } = options;
  if (stackOperand !== undefined && stackOperand !== stack) {
    throw new UsageError(`two stacks are named: ${stackOperand} and ${stack ?? ""}\n  allowed: one, by --stack`);
  }
  return { ...operands, ...options, phase, stack } as CommonOptions;
}

function paragraphs({ phases = {}, details = [] }: Verb): readonly string[] {
  const longest = Math.max(...Object.keys(phases).map((name) => name.length));
  const lines = Object.entries(phases).map(([name, what]) => `  ${name.padEnd(longest)}  ${what}`);
  return lines.length === 0 ? details : [["Phases:", ...lines].join("\n"), ...details];
}

/** Paragraphs, examples and exit codes, as they stand after the options. */
function helpText(blocks: readonly string[], examples: readonly string[], width: number): string {
  const commands = examples.map((line) => `  ${invocation} ${line}`);
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return [...blocks, [title, ...commands].join("\n"), exitCodeText]
    .map((block) => `\n${wrapped(block, width)}`)
    .join("\n");
}

/** Operands as help shows them: `<tenant>`, `[phase]`. */
function operandsOf({ operands = [], phases, needsPhase = false }: Verb): string[] {
  const phase = phases === undefined ? [] : [needsPhase ? "<phase>" : "[phase]"];
  return [...operands.filter(([, description]) => description !== "").map(([syntax]) => syntax), ...phase];
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
