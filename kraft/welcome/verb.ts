import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
}

/** `kraft welcome <tenant>`: the sheet that a tenant gets. */
export const welcome: Verb<Options> = {
  name: "welcome",
  summary: "print the sheet that a tenant gets, in Markdown",
  details:
    "Endpoint, entrypoint, domains, allowance, an Ingress to copy, what is backed up and what is not. Nothing in it is\n" +
    "secret, and no cluster is asked.",
  examples: ["welcome acme > acme.md", "welcome acme --stack homelab --json"],
  define(command) {
    command
      .argument("<tenant>", "tenant of the stack file")
      .option("--stack <stack>", "stack; default: the only one whose file names its cluster");
  },
  async run({ operands: [name = ""], options, output }) {
    const [{ chosenStackFile, directoryOf, knownTenant }, { modelOf }, { welcomeFacts }, { welcomeSheet }] =
      await Promise.all([
        import("../cli/choice.ts"),
        import("../../infra/config/stack-file.ts"),
        import("./facts.ts"),
        import("./sheet.ts"),
      ]);
    const file = chosenStackFile(options.stack, directoryOf(options));
    const facts = welcomeFacts(modelOf(file), knownTenant(name, file));
    const sheet = welcomeSheet(facts);
    if (options.json === true) {
      output.printJson({ ...facts, sheet });
    } else {
      output.print(sheet);
    }
    return exitCodes.fine;
  },
};
