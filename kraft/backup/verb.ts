import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly volume?: string;
  readonly timeout?: string;
}

/** `kraft backup <tenant>`: a backup of every volume of a tenant, now. */
export const backup: Verb<Options> = {
  name: "backup",
  summary: "back up every volume of a tenant now, and wait until it is done",
  details:
    "Takes a snapshot of all volumes at once, then uploads one after the other. If it is interrupted, Longhorn goes on with\n" +
    "the upload that has begun. Exits with 1 if any volume could not be backed up; the others are.",
  examples: ["backup acme", "backup acme --volume pvc-0a1b2c3d --stack homelab"],
  define(command) {
    command
      .argument("<tenant>", "tenant of the stack file")
      .option("--volume <name>", "only this volume of Longhorn's, also one whose claim is deleted")
      .option("--stack <stack>", "stack; default: the only one whose file names its cluster")
      .option("--timeout <minutes>", "minutes for all of it; default: 720");
  },
  async run({ operands: [tenant = ""], options, output }) {
    const [
      { chosenStackFile, directoryOf, knownTenant },
      { keysOf },
      { hostOf },
      { minutesOf, interruption },
      { backUp },
      { backupText },
    ] = await Promise.all([
      import("../cli/choice.ts"),
      import("../../infra/config/stack-file.ts"),
      import("../cli/host.ts"),
      import("../../cluster/wait.ts"),
      import("./backup.ts"),
      import("./text.ts"),
    ]);
    const limit = minutesOf("--timeout", options.timeout, 720);
    const file = chosenStackFile(options.stack, directoryOf(options));
    knownTenant(tenant, file);
    const { cluster } = keysOf(file, ["cluster"]);
    const host = await output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
    const interrupted = interruption();
    try {
      const report = await backUp(host, {
        stack: file.stack.name,
        tenant,
        ...(options.volume === undefined ? {} : { volumes: [options.volume] }),
        patience: { until: Date.now() + limit, signal: interrupted.signal },
        progress: (text) => {
          output.note(`${tenant}: ${text}`);
        },
      });
      if (options.json === true) {
        output.printJson(report);
      } else {
        output.print(backupText(report, output.style));
      }
      return report.ok ? exitCodes.fine : exitCodes.wrong;
    } finally {
      interrupted.stop();
    }
  },
};
