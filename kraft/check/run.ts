import { UsageError } from "../../errors/failure.ts";
import { report } from "../../errors/problem.ts";
import type { Model } from "../../infra/model.ts";
import { directoryOf, stackNamed, stacksToCheck } from "../cli/choice.ts";
import type { Output, Style } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { type NameServers, nameServers } from "./ask.ts";
import { type Checked, inspect } from "./checked.ts";
import { dnsTable, dnsWarnings, judgeDns, namesOf } from "./dns.ts";

interface Given {
  readonly dns?: true;
  readonly resolver?: string;
}

type Inspected = ReturnType<typeof inspect> & { readonly hasNames: boolean };

export const run: Run<Given> = async (given, output) => {
  const { stack: name, dns, resolver } = given;
  if (resolver !== undefined && dns !== true) {
    throw new UsageError("--resolver names the server that --dns asks\n  allowed: together with --dns");
  }
  const servers = dns === true ? nameServers(resolver) : undefined;
  const directory = directoryOf(given);
  const chosen = name === undefined ? stacksToCheck(directory) : [stackNamed(name, directory)];
  const inspected = chosen.map((stack) => ({
    ...inspect(stack, directory, new Date()),
    // No name leads to the embedded cluster, unless somebody made one and asks for it.
    hasNames: name !== undefined || stack.distribution !== "embedded",
  }));
  const stacks =
    servers === undefined ? inspected.map(({ checked }) => checked) : await askDns(inspected, servers, output);
  return {
    json: { stacks },
    text: stacks.flatMap((result, index) => [...(index === 0 ? [] : [""]), ...checkText(result, output.style)]),
    ok: stacks.every(({ ok }) => ok),
  };
};

/** Asks for the names of all stacks at once. */
function askDns(inspected: readonly Inspected[], servers: NameServers, output: Output): Promise<Checked[]> {
  for (const { checked, model } of inspected) {
    if (model === undefined) {
      output.note(`${checked.file} has problems, so DNS was not asked for its names.`);
    }
  }
  const asked = inspected.map(async ({ checked, model, hasNames }) =>
    model === undefined || !hasNames ? checked : withDns(checked, model, servers),
  );
  return output.during(`asking ${servers.servers.join(", ")} for DNS names`, Promise.all(asked));
}

/** The findings about a stack as text. */
export function checkText(checked: Checked, style: Style): string[] {
  const { stack, description, file, tables, warnings, problems } = checked;
  const [headline = "", ...details] = problems.length === 0 ? [] : report(file, problems).split("\n");
  return [
    style.title(`${stack}: ${description}`),
    ...tables.flatMap((table) => ["", ...style.table(table)]),
    ...(warnings.length === 0
      ? []
      : [
          "",
          style.caution(count(warnings.length, "warning")),
          ...warnings.map(({ key, message }) => `  ${key}: ${message}`),
        ]),
    "",
    ...(problems.length === 0
      ? [style.good(`${file} has no problems.`)]
      : // A check never changes anything.
        [style.bad(headline.replace(" Nothing was changed.", "")), ...details]),
  ];
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

/** Adds DNS to the findings about a stack. */
export async function withDns(checked: Checked, model: Model, nameServers: NameServers): Promise<Checked> {
  const names = namesOf(model).map(({ name }) => name);
  const dns = judgeDns(model, await nameServers.ask(names, model.entrypoint));
  return {
    ...checked,
    tables: [...checked.tables, dnsTable(dns, nameServers.servers)],
    warnings: [...checked.warnings, ...dnsWarnings(dns)],
    dns,
  };
}
