import { interruption, minutesOf } from "../../cluster/wait.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { tenantsOf } from "../../infra/config/stack-file.ts";
import { stackFileOf, stackFileWith } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { drill } from "./drill.ts";
import { nextTenant } from "./record.ts";
import { drillText } from "./text.ts";

interface Given {
  readonly tenant?: string;
  readonly next?: true;
  readonly timeout?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant: named, next } = given;
  if ((named === undefined) === (next === undefined)) {
    throw new UsageError("name a tenant or use --next\n  allowed: either a tenant or --next");
  }
  const limit = minutesOf("--timeout", given.timeout, 240);
  const file = named === undefined ? stackFileOf(given) : stackFileWith(named, given);
  const host = await reach(file, output);
  const tenant = named ?? nextTenant(tenantsOf(file), await host.list("/api/v1/namespaces"));
  if (tenant === undefined) {
    throw new Failure(`${file.name} has no tenant: there is nothing to restore`);
  }
  const interrupted = interruption();
  try {
    const report = await drill(host, {
      stack: file.stack.name,
      tenant,
      limit,
      signal: interrupted.signal,
      progress: (text) => {
        output.note(`${tenant}: ${text}`);
      },
    });
    return { json: report, text: drillText(report, new Date(), output.style), ok: report.ok };
  } finally {
    interrupted.stop();
  }
};
