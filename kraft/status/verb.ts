import { UsageError } from "../../errors/failure.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly prometheus?: true;
}

/** `kraft status [stack]`: what the host cluster says about itself. */
export const status: Verb<Options> = {
  name: "status",
  summary: "show nodes, platform, tenants, backups and certificates of a cluster that runs",
  details:
    "Only reads. Without a stack: the only one whose file names its cluster.\nExits with 1 if anything is wrong; what it is stands at the end.",
  examples: ["status homelab", "status homelab --json", "status homelab --prometheus"],
  define(command) {
    command
      .argument("[stack]", "stack to ask")
      .option("--prometheus", "print figures in Prometheus' text format, for node_exporter's textfile collector");
  },
  async run({ operands: [name], options, output }) {
    if (options.json === true && options.prometheus === true) {
      throw new UsageError("--json and --prometheus exclude each other");
    }
    const [
      { chosenStackFile, directoryOf },
      { declaredTenantsOf, entryOf, keysOf },
      { hostOf },
      { observe },
      { versionsThatMayNotCome },
      { judge },
      { statusText },
      { machineZone },
      { statusMetrics },
    ] = await Promise.all([
      import("../cli/choice.ts"),
      import("../../infra/config/stack-file.ts"),
      import("../cli/host.ts"),
      import("./objects.ts"),
      import("./versions.ts"),
      import("./status.ts"),
      import("./text.ts"),
      import("../../infra/schedule.ts"),
      import("./prometheus.ts"),
    ]);
    const file = chosenStackFile(name, directoryOf(options));
    const { cluster, timezone } = keysOf(file, ["cluster", "timezone"]);
    const asked = async () => {
      const host = await hostOf(file, cluster);
      const [observed, versions] = await Promise.all([observe(host), versionsThatMayNotCome(file, host)]);
      return { host, observed, versions };
    };
    const { host, observed, versions } = await output.during(`asking the cluster ${cluster.context}`, asked());
    const { context, uid } = host;
    const tenants = declaredTenantsOf(file);
    const expected = { stack: file.stack, tenants, entry: entryOf(file), context, uid, versions };
    const result = judge(observed, expected, new Date());
    if (options.json === true) {
      output.printJson(result);
    } else if (options.prometheus === true) {
      output.print(statusMetrics(result));
    } else {
      output.print(statusText(result, file.stack.description, output.style, timezone ?? machineZone()));
    }
    return result.ok ? exitCodes.fine : exitCodes.wrong;
  },
};
