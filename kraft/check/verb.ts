import type { Checked, inspect } from "./checked.ts";
import type { Output } from "../cli/output.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly dns?: true;
  readonly resolver?: string;
}

/** `kraft check [stack]`: what every preview checks, without cluster, passphrase or engine; DNS only on request. */
export const check: Verb<Options> = {
  name: "check",
  summary: "check stack files without a cluster and without the passphrase",
  details:
    "Prints the checks' tables, warnings and problems. Without a stack: every stack that has a file.\n" +
    "Encrypted values count as present; whether they fit, only a preview can say.\n" +
    "With --dns, names that do not lead to the entrypoint are warnings, which leave the exit code as it is.",
  examples: ["check homelab", "check homelab --dns", "check --json"],
  define(command) {
    command
      .argument("[stack]", "stack to check")
      .option("--dns", "ask DNS for entrypoint, tenants' APIs and tenants' domains")
      .option("--resolver <address>", "name server to ask, with :<port> if it is not 53; default: this machine's");
  },
  async run({ operands: [name], options, output }) {
    const [{ directoryOf, stackNamed, stacksToCheck }, { inspect }, { checkText }] = await Promise.all([
      import("../cli/choice.ts"),
      import("./checked.ts"),
      import("./text.ts"),
    ]);
    const nameServers = await nameServersOf(options);
    const directory = directoryOf(options);
    const chosen = name === undefined ? stacksToCheck(directory) : [stackNamed(name, directory)];
    const inspected = chosen.map((stack) => {
      const result = inspect(stack, directory, new Date());
      // No name leads to the embedded cluster, unless somebody made one and asks for it.
      return { ...result, hasNames: name !== undefined || stack.distribution !== "embedded" };
    });
    const results =
      nameServers === undefined
        ? inspected.map(({ checked }) => checked)
        : await askDns(inspected, nameServers, output);
    if (options.json === true) {
      output.printJson({ stacks: results });
    } else {
      output.print(
        results.flatMap((result, index) => [...(index === 0 ? [] : [""]), ...checkText(result, output.style)]),
      );
    }
    return results.every(({ ok }) => ok) ? exitCodes.fine : exitCodes.wrong;
  },
};

type NameServers = Awaited<ReturnType<typeof nameServersOf>>;

async function nameServersOf({ dns, resolver }: Options) {
  if (dns === true) {
    return (await import("./ask.ts")).nameServers(resolver);
  }
  if (resolver !== undefined) {
    const { UsageError } = await import("../../errors/failure.ts");
    throw new UsageError("--resolver says whom --dns asks\n  allowed: together with --dns");
  }
  return undefined;
}

/** Asks for the names of all stacks at once. */
async function askDns(
  inspected: readonly (ReturnType<typeof inspect> & { readonly hasNames: boolean })[],
  nameServers: NonNullable<NameServers>,
  output: Output,
): Promise<Checked[]> {
  const { withDns } = await import("./with-dns.ts");
  for (const { checked, model } of inspected) {
    if (model === undefined) {
      output.note(`${checked.file} has problems, so that DNS was not asked for its names.`);
    }
  }
  const asked = inspected.map(async ({ checked, model, hasNames }) =>
    model === undefined || !hasNames ? checked : await withDns(checked, model, nameServers),
  );
  return output.during(`asking ${nameServers.servers.join(", ")} for DNS names`, Promise.all(asked));
}
