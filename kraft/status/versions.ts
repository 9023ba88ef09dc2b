import type { Host } from "../../cluster/client.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import type { Problem } from "../../errors/problem.ts";
import { skewProblems } from "../../infra/checks/skew.ts";
import { declaredVersions } from "../../infra/checks/support.ts";
import type { StackFile } from "../../infra/config/stack-file.ts";
import { k3kReleases } from "../../infra/versions.ts";

/** What the next `pulumi up` would take back or skip, of what runs. A version that nobody knows is for `kraft check`. */
export async function refusedVersionChanges(file: StackFile, host: Host): Promise<readonly Problem[]> {
  const wanted = file.raw.values["k3kVersion"] ?? file.stack.k3kVersion;
  const k3k = k3kReleases.find(({ version }) => version === wanted);
  if (k3k === undefined) {
    return [];
  }
  const managed = file.raw.values["machines"] !== undefined;
  return skewProblems(declaredVersions({ stack: file.stack, k3k }), await runningVersions(host), managed);
}
