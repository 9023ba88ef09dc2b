import { UsageError } from "../../errors/failure.ts";
import { directoryOf, stackNamed, stacksToCheck } from "../cli/choice.ts";
import type { Output } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { type NameServers, nameServers } from "./ask.ts";
import { type Checked, inspect } from "./checked.ts";
import { checkText } from "./text.ts";
import { withDns } from "./with-dns.ts";

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
