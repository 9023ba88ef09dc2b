import type { Outcome } from "./volumes.ts";
import type { RestorePlan } from "./plan.ts";
import type { Style } from "../cli/output.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly plan?: true;
  readonly apply?: true;
  readonly tenant?: string;
}

/** `kraft restore [stack] --plan | --apply`: what comes back from the backups, and bringing it back. */
export const restore: Verb<Options> = {
  name: "restore",
  summary: "show what the backups hold, or bring it back into a cluster that lost it",
  details:
    "--plan reads the bucket alone: no cluster is needed, only the passphrase of the stack file, or the bucket's key in\n" +
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. It exits with 1 if something is damaged or belongs to nobody.\n" +
    "--apply writes: it makes Longhorn's volumes, and binds them to their claims. It deletes nothing and changes nothing that\n" +
    "came from elsewhere; stopped at any moment, it goes on when it is run again.",
  examples: ["restore homelab --plan", "restore homelab --apply", "restore homelab --apply --tenant acme"],
  define(command) {
    command
      .argument("[stack]", "stack to restore")
      .option("--plan", "say what would come back, how old it is and how long it takes")
      .option("--apply", "bring it back")
      .option("--tenant <tenant>", "only this tenant");
  },
  async run({ operands: [name], options, output }) {
    const { UsageError } = await import("../../errors/failure.ts");
    if ((options.plan === true) === (options.apply === true)) {
      throw new UsageError("say what to do\n  allowed: one of --plan and --apply");
    }
    const [
      { chosenStackFile, directoryOf, knownTenant },
      { keysOf },
      { bucketKey },
      { readCatalogue },
      { restorePlan },
      { planText },
      { storeOf, inputsOf },
    ] = await Promise.all([
      import("../cli/choice.ts"),
      import("../../infra/config/stack-file.ts"),
      import("../secrets/stack-secrets.ts"),
      import("../../infra/catalogue/catalogue.ts"),
      import("./plan.ts"),
      import("./text.ts"),
      import("./inputs.ts"),
    ]);
    const file = chosenStackFile(name, directoryOf(options));
    if (options.tenant !== undefined) {
      knownTenant(options.tenant, file);
    }
    const inputs = { ...inputsOf(file), tenant: options.tenant };
    const store = storeOf(file, await bucketKey(file, process.env));
    const where = `reading the backups in ${store.bucket} at ${store.endpoint}`;
    const plan = restorePlan(await output.during(where, readCatalogue(store)), inputs);
    const at = new Date();
    if (options.apply !== true) {
      if (options.json === true) {
        output.printJson({ stack: file.stack.name, at: at.toISOString(), ok: plan.problems.length === 0, ...plan });
      } else {
        output.print(planText(plan, file.stack.name, at, output.style));
      }
      return plan.problems.length === 0 ? exitCodes.fine : exitCodes.wrong;
    }
    const [{ hostOf }, { applyRestore }, { allThere, wholeTenants }, { recordArrival }] = await Promise.all([
      import("../cli/host.ts"),
      import("./apply.ts"),
      import("./volumes.ts"),
      import("../move/record.ts"),
    ]);
    const { cluster } = keysOf(file, ["cluster"]);
    const host = await output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
    const outcomes = await applyRestore(host, plan, {
      replicas: inputs.replicas,
      note: (text) => {
        output.note(text);
      },
    });
    // Who once came from another stack has come again, this time from this one's own backups.
    const whole = new Set(wholeTenants(plan.order, outcomes));
    for (const { name, from } of inputs.tenants) {
      if (from !== undefined && whole.has(name)) {
        await recordArrival(host, name, from);
      }
    }
    const ok = allThere(outcomes) && plan.problems.length === 0;
    if (options.json === true) {
      output.printJson({ stack: file.stack.name, ok, volumes: outcomes, problems: plan.problems });
    } else {
      output.print(outcomeText(outcomes, plan, file.stack.name, output.style));
    }
    return ok ? exitCodes.fine : exitCodes.wrong;
  },
};

function outcomeText(outcomes: readonly Outcome[], plan: RestorePlan, stack: string, style: Style): string[] {
  const count = (result: Outcome["result"]): number => outcomes.filter((outcome) => outcome.result === result).length;
  const wrong = [
    ...outcomes.flatMap(({ volume, tenant, message }) =>
      message === null ? [] : [`  ${volume} of ${tenant}: ${message}`],
    ),
    ...plan.problems.map(({ subject, message }) => `  ${subject}: ${message}`),
  ];
  const summary = `${count("restored")} volumes brought back, ${count("there")} were there already.`;
  return wrong.length > 0
    ? [
        summary,
        "",
        style.bad("Not everything is back"),
        ...wrong,
        "",
        `Run it again when that is mended: it goes on from here. What is to stay away goes into kraft:leaveOut.`,
      ]
    : [
        style.good(summary),
        "",
        "Next: let the guests and the schedules come back",
        `  pulumi config set -s ${stack} kraft:phase run`,
        `  pulumi preview -s ${stack}`,
        `  pulumi up -s ${stack}`,
        `  npm run kraft -- status ${stack}`,
      ];
}
