import { UsageError } from "../../errors/failure.ts";
import { declaredTenantsOf, entryOf, keysOf } from "../../infra/config/stack-file.ts";
import { machineZone } from "../../infra/schedule.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { observe } from "./observed.ts";
import { statusMetrics } from "./prometheus.ts";
import { judge } from "./status.ts";
import { statusText } from "./text.ts";
import { refusedVersionChanges } from "./versions.ts";

interface Given {
  readonly prometheus?: true;
}

export const run: Run<Given> = async (given, output) => {
  if (given.json === true && given.prometheus === true) {
    throw new UsageError("--json and --prometheus exclude each other");
  }
  const file = stackFileOf(given);
  const { timezone } = keysOf(file, ["cluster", "timezone"]);
  const host = await reach(file, output);
  const { context, uid } = host;
  const [observed, versions] = await output.during(
    `reading the cluster ${context}`,
    Promise.all([observe(host), refusedVersionChanges(file, host)]),
  );
  const tenants = declaredTenantsOf(file);
  const expected = { stack: file.stack, tenants, entry: entryOf(file), context, uid, versions };
  const result = judge(observed, expected, new Date());
  return {
    json: result,
    text:
      given.prometheus === true
        ? statusMetrics(result)
        : statusText(result, file.stack.description, output.style, timezone ?? machineZone()),
    ok: result.ok,
  };
};
