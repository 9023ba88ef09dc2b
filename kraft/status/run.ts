import type { Host } from "../../cluster/client.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import { UsageError } from "../../errors/failure.ts";
import type { Problem } from "../../errors/problem.ts";
import { declaredVersions } from "../../infra/checks/support.ts";
import { parse } from "../../infra/config/parse.ts";
import { declaredTenantsOf, entryOf, keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { versionChangeProblems } from "../../infra/guards/version-changes.ts";
import { machineZone } from "../../infra/schedule.ts";
import { k3kReleases } from "../../infra/versions.ts";
import { stackFileOf } from "../cli/choice.ts";
import { listAll, reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { statusMetrics } from "./prometheus.ts";
import { observedCollections } from "./report.ts";
import { judge } from "./status.ts";
import { statusText } from "./text.ts";

export const run: Run<{ readonly prometheus?: true }> = async (given, output) => {
  if (given.json === true && given.prometheus === true) {
    throw new UsageError("--json and --prometheus exclude each other");
  }
  const file = stackFileOf(given);
  const { timezone } = keysOf(file, ["cluster", "timezone"]);
  const host = await reach(file, output);
  const { context, uid } = host;
  const [observed, versions] = await output.during(
    `reading the cluster ${context}`,
    Promise.all([listAll(host, observedCollections), refusedVersionChanges(file, host)]),
  );
  const tenants = declaredTenantsOf(file);
  const leaveOut = parse(file.raw).config.leaveOut ?? [];
  const expected = { stack: file.stack, tenants, leaveOut, entry: entryOf(file), context, uid, versions };
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

/** What the next `pulumi up` would take back or skip, of what runs. A version that nobody knows is for `kraft check`. */
export async function refusedVersionChanges(file: StackFile, host: Host): Promise<readonly Problem[]> {
  const wanted = file.raw.values["k3kVersion"] ?? file.stack.k3kVersion;
  const k3k = k3kReleases.find(({ version }) => version === wanted);
  if (k3k === undefined) {
    return [];
  }
  const managed = file.raw.values["machines"] !== undefined;
  return versionChangeProblems(declaredVersions({ stack: file.stack, k3k }), await runningVersions(host), managed);
}
