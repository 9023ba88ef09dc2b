import { UsageError } from "../../errors/failure.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly next?: true;
  readonly timeout?: string;
}

/** `kraft drill <tenant>`: proves that a tenant's backups can be restored, by restoring them. */
export const drill: Verb<Options> = {
  name: "drill",
  summary: "prove that a tenant's backups can be restored: restore them aside, and read every file",
  details:
    "Restores the newest backup of each of the tenant's volumes, one after the other, into a volume that nothing else uses,\n" +
    "reads all of it in a pod without network, removes it, and notes on the tenant's namespace what came of it. The tenant's\n" +
    "own volumes and backups are not touched. A drill that was killed is cleaned up by the next one.\n" +
    "Exits with 1 if a backup is missing, cannot be restored, or cannot be read to the end.",
  examples: ["drill acme", "drill acme --stack homelab", "drill --next --json"],
  define(command) {
    command
      .argument("[tenant]", "tenant of the stack file")
      .option("--next", "the tenant whose backups were proven longest ago, or never")
      .option("--stack <stack>", "stack; default: the only one whose file names its cluster")
      .option("--timeout <minutes>", "minutes for each volume, download included; default: 240");
  },
  async run({ operands: [name], options, output }) {
    if ((name === undefined) === (options.next === undefined)) {
      throw new UsageError("say whose backups\n  allowed: either a tenant or --next");
    }
    const [
      { chosenStackFile, directoryOf, knownTenant },
      { keysOf, tenantsOf },
      { hostOf },
      { minutesOf, interruption },
      { drill: hold },
      { nextTenant },
      { drillText },
      { Failure },
    ] = await Promise.all([
      import("../cli/choice.ts"),
      import("../../infra/config/stack-file.ts"),
      import("../cli/host.ts"),
      import("../../cluster/wait.ts"),
      import("./drill.ts"),
      import("./record.ts"),
      import("./text.ts"),
      import("../../errors/failure.ts"),
    ]);
    const limit = minutesOf("--timeout", options.timeout, 240);
    const file = chosenStackFile(options.stack, directoryOf(options));
    const tenants = tenantsOf(file);
    if (name !== undefined) {
      knownTenant(name, file);
    }
    const { cluster } = keysOf(file, ["cluster"]);
    const host = await output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
    const tenant = name ?? nextTenant(tenants, await host.list("/api/v1/namespaces"));
    if (tenant === undefined) {
      throw new Failure(`${file.name} has no tenant: there is nothing to restore`);
    }
    const interrupted = interruption();
    try {
      const report = await hold(host, {
        stack: file.stack.name,
        tenant,
        limit,
        signal: interrupted.signal,
        progress: (text) => {
          output.note(`${tenant}: ${text}`);
        },
      });
      if (options.json === true) {
        output.printJson(report);
      } else {
        output.print(drillText(report, new Date(), output.style));
      }
      return report.ok ? exitCodes.fine : exitCodes.wrong;
    } finally {
      interrupted.stop();
    }
  },
};
