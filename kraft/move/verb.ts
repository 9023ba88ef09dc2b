import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly resolver?: string;
  readonly timeout?: string;
  readonly keyPolicy?: true;
}

const phases = ["copy", "cutover", "done", "back"] as const;

/** `kraft move <tenant> [phase]`: a tenant of one stack moves to another, whose file names the first in `from`. */
export const move: Verb<Options> = {
  name: "move",
  summary: "bring a tenant over from another stack, with all data: copy, cutover, done",
  details:
    "Without a phase it says where the move stands, and what is next.\n" +
    "  copy     makes copies that follow the backups of the other stack; the tenant goes on there\n" +
    "  cutover  once the tenant is suspended there: makes the last backup, brings it over, lets the guest start here\n" +
    "  done     says whether anything still hangs on the other stack; changes nothing\n" +
    "  back     gives a cutover up whose guest never started here\n" +
    "Each may be interrupted, and goes on when it is run again. Nothing is ever deleted. Exits with 1 while something is open.",
  examples: [
    "move acme --key-policy",
    "move acme",
    "move acme copy --stack proliant",
    "move acme cutover",
    "move acme done",
  ],
  define(command) {
    command
      .argument("<tenant>", "tenant with `from` in the stack file")
      .argument("[phase]", `one of ${phases.join(", ")}`)
      .option("--stack <stack>", "stack that the tenant comes to; default: the only one whose file says so")
      .option(
        "--resolver <address>",
        "name server that `done` asks, with :<port> if it is not 53; default: this machine's",
      )
      .option(
        "--key-policy",
        "print what the key in kraft:sourceAccessKeyId needs to be allowed at Wasabi, and do nothing else",
      )
      .option("--timeout <minutes>", "minutes for the last backup of `cutover`; default: 720");
  },
  async run({ operands: [tenant = "", phase], options, output }) {
    const [{ UsageError }, { directoryOf }, { movingFile, sourceFile }, { minutesOf }] = await Promise.all([
      import("../../errors/failure.ts"),
      import("../cli/choice.ts"),
      import("./files.ts"),
      import("../../cluster/wait.ts"),
    ]);
    if (phase !== undefined && !phases.some((known) => known === phase)) {
      throw new UsageError(`there is no phase ${JSON.stringify(phase)}\n  allowed: ${phases.join(", ")}`);
    }
    const backupLimit = minutesOf("--timeout", options.timeout, 720);
    const directory = directoryOf(options);
    const target = movingFile(tenant, options.stack, directory);
    if (options.keyPolicy === true) {
      const [{ sourceReaderPolicy }, { sourceIn }] = await Promise.all([
        import("../../components/plan/backup-store.ts"),
        import("./files.ts"),
      ]);
      const { bucket, prefix } = sourceIn(target);
      output.printJson(sourceReaderPolicy(bucket, prefix));
      return exitCodes.fine;
    }
    const source = sourceFile(target, tenant, directory);
    const [{ keysOf }, { hostOf }, { readMoveCluster }, { progressOf }, texts] = await Promise.all([
      import("../../infra/config/stack-file.ts"),
      import("../cli/host.ts"),
      import("./clusters.ts"),
      import("./progress.ts"),
      import("./text.ts"),
    ]);
    const party = async (file: typeof target) =>
      readMoveCluster(file.stack.name, await hostOf(file, keysOf(file, ["cluster"]).cluster), tenant);
    const look = async () => {
      const both = Promise.all([party(source), party(target)]);
      const [left, right] = await output.during("asking both clusters", both);
      return { tenant, source: left, target: right };
    };
    const parties = await look();
    const named = { tenant, from: source.stack.name, to: target.stack.name };
    const now = new Date();

    if (phase === undefined) {
      const found = progressOf(parties);
      if (options.json === true) {
        output.printJson({ ...named, at: now.toISOString(), ...found });
      } else {
        output.print(texts.progressText(named, found, now, output.style));
      }
      return exitCodes.fine;
    }

    if (phase === "done") {
      const [{ doneChecks }, { modelOf }, { nameServers }, { judgeDns, namesOf }] = await Promise.all([
        import("./done.ts"),
        import("../../infra/config/stack-file.ts"),
        import("../check/ask.ts"),
        import("../check/dns.ts"),
      ]);
      const model = modelOf(target);
      const asked = nameServers(options.resolver);
      const questions = namesOf(model).filter((name) => name.tenant === null || name.tenant === tenant);
      const answers = await output.during(
        `asking ${asked.servers.join(", ")} for DNS names`,
        asked.ask(
          questions.map(({ name }) => name),
          model.entrypoint,
        ),
      );
      const names = judgeDns(model, answers).filter((name) => name.tenant === tenant);
      const checks = doneChecks(parties, names);
      const ok = checks.every((check) => check.ok === true);
      if (options.json === true) {
        output.printJson({ ...named, at: now.toISOString(), ok, checks });
      } else {
        const next = [
          `state: archived for ${tenant} in Pulumi.${named.from}.yaml, later purged: docs/offboarding.md`,
          `\`from: ${named.from}\` stays in ${target.name}: the guest's token follows from it`,
        ];
        output.print(texts.checksText(named, checks, next, output.style));
      }
      return ok ? exitCodes.fine : exitCodes.wrong;
    }

    const [{ sourceStore }, { inputsOf }, work] = await Promise.all([
      import("./files.ts"),
      import("../restore/inputs.ts"),
      import("./phases.ts"),
    ]);
    const order = async () => ({
      move: parties,
      store: await sourceStore(target, process.env),
      inputs: { ...inputsOf(target), tenant },
      backupLimit,
      note: (text: string) => {
        output.note(text);
      },
    });
    const report =
      phase === "back"
        ? await work.back({ move: parties })
        : await (phase === "copy" ? work.copy : work.cutover)(await order());
    const next = report.ok && phase !== "back" ? progressOf(await look()).next : [];
    if (options.json === true) {
      output.printJson({ ...report, next });
    } else {
      output.print(texts.reportText(report, next, output.style));
    }
    return report.ok ? exitCodes.fine : exitCodes.wrong;
  },
};
