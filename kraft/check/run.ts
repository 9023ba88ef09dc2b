import { UsageError } from "../../errors/failure.ts";
import { ConfigError, listIf, type Problem, report, type Warning } from "../../errors/problem.ts";
import { findings } from "../../infra/checks/findings.ts";
import { modelOf, readStackFile, stacksWithFile, withClusterToCome } from "../../infra/config/stack-file.ts";
import type { Model } from "../../infra/model.ts";
import { needsBootstrap } from "../../infra/nodes/needs-bootstrap.ts";
import type { Table } from "../../infra/table.ts";
import { type Stack, stacks as allStacks } from "../../stacks/index.ts";
import { directoryOf, stackNamed } from "../cli/choice.ts";
import type { Style } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { nameServers } from "./ask.ts";
import { askDns, type DnsName, dnsTable, dnsWarnings } from "./dns.ts";

/**
 * The findings about one stack. `kraft check --json` prints `{ "stacks": [...] }` of these, in the order of
 * `stacks/index.ts`. Fields are added, never renamed or taken away.
 */
export interface Checked {
  readonly stack: string;
  readonly description: string;
  readonly file: string;
  /** Whether `problems` is empty. */
  readonly ok: boolean;
  /** Figures of the checks; none where the file could not be understood. The first row holds the headings. */
  readonly tables: readonly Table[];
  readonly warnings: readonly Warning[];
  /** Each would refuse a preview. */
  readonly problems: readonly Problem[];
  /** Null where DNS was not asked. */
  readonly dns: readonly DnsName[] | null;
}

export const run: Run<{ readonly dns?: true; readonly resolver?: string }> = async (given, output) => {
  if (given.resolver !== undefined && given.dns !== true) {
    throw new UsageError("--resolver names the server that --dns asks\n  allowed: together with --dns");
  }
  const servers = given.dns === true ? nameServers(given.resolver) : undefined;
  const directory = directoryOf(given);
  const names = given.stack === undefined ? stacksWithFile(directory) : [given.stack];
  if (names.length === 0) {
    const files = [...allStacks.keys()].map((name) => `Pulumi.${name}.yaml`);
    throw new UsageError(`there is no stack file in ${directory}\n  allowed: a folder with ${files.join(", ")}`);
  }
  const results = names.map(async (name): Promise<Checked> => {
    const stack = stackNamed(name, directory);
    const { checked, model } = inspect(stack, directory, new Date());
    if (servers !== undefined && model === undefined) {
      output.note(`${checked.file} has problems, so DNS was not asked for its names.`);
    }
    // No name leads to the embedded cluster, unless somebody made one and asks for it.
    const hasNames = given.stack !== undefined || stack.distribution !== "embedded";
    if (servers === undefined || model === undefined || !hasNames) {
      return checked;
    }
    const dns = await askDns(model, servers);
    const tables = [...checked.tables, dnsTable(dns, servers.servers)];
    return { ...checked, tables, warnings: [...checked.warnings, ...dnsWarnings(dns)], dns };
  });
  const work = Promise.all(results);
  const stacks = await (servers === undefined
    ? work
    : output.during(`asking ${servers.servers.join(", ")} for DNS names`, work));
  return {
    json: { stacks },
    text: stacks.flatMap((result, index) => [...(index === 0 ? [] : [""]), ...checkText(result, output.style)]),
    ok: stacks.every(({ ok }) => ok),
  };
};

/** Why a file without the UID of a cluster is right, as long as Kraft has not made the cluster. */
const firstUp = "no cluster yet: pulumi up sets up the machines alone, then says how to find the uid";

/** Checks one stack's file, and keeps what it says; undefined where it could not be understood. */
export function inspect(
  stack: Stack,
  directory: string,
  today: Date,
): { readonly checked: Checked; readonly model: Model | undefined } {
  let model: Model | undefined;
  let problems: readonly Problem[] = [];
  let first: readonly Warning[] = [];
  try {
    const file = readStackFile(stack, directory);
    const begins = needsBootstrap(stack, file.raw);
    first = listIf(begins, { key: "kraft:cluster.uid", message: firstUp });
    model = modelOf(withClusterToCome(file));
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    ({ problems } = error);
  }
  const { tables, warnings, ...found } =
    model === undefined ? { tables: [], warnings: [], problems } : findings(model, today);
  return {
    model,
    checked: {
      stack: stack.name,
      description: (model?.stack ?? stack).description,
      file: `Pulumi.${stack.name}.yaml`,
      ok: found.problems.length === 0,
      tables,
      warnings: [...first, ...warnings],
      problems: found.problems,
      dns: null,
    },
  };
}

/** Whether a file still has the domain and the cluster of Kraft's example, which `kraft init` replaces. */
function isUndescribed(problems: readonly Problem[]): boolean {
  return (
    problems.some(({ key, found }) => key === "kraft:domain" && found.endsWith('.invalid"')) &&
    problems.some(({ key }) => key === "kraft:cluster.uid")
  );
}

/** The findings about a stack as text. */
export function checkText(checked: Checked, style: Style): string[] {
  const { stack, description, file, tables, warnings, problems } = checked;
  const [headline = "", ...details] = problems.length === 0 ? [] : report(file, problems).split("\n");
  const warningLines = warnings.map(({ key, message }) => `  ${key}: ${message}`);
  const count = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  return [
    style.title(`${stack}: ${description}`),
    ...tables.flatMap((table) => ["", ...style.table(table)]),
    ...(warnings.length === 0 ? [] : ["", style.caution(count), ...warningLines]),
    "",
    ...(problems.length === 0
      ? [style.good(`${file} has no problems.`)]
      : // A check never changes anything.
        [
          style.bad(headline.replace(" Nothing was changed.", "")),
          ...details,
          ...(isUndescribed(problems)
            ? ["", `npx kraft init ${stack} asks for what only you know, and measures the rest.`]
            : []),
        ]),
  ];
}
