import { annotateTenant, type WritableHost } from "../../cluster/client.ts";
import { defaultTarget } from "../../cluster/longhorn.ts";
import { paths } from "../../cluster/paths.ts";
import { arrivedFromAnnotation } from "../../components/plan/lifecycle.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { catalogueReader, inputsOf } from "./inputs.ts";
import { type RestorePlan, restorePlan } from "./plan.ts";
import { outcomeText, planText } from "./text.ts";
import { allThere, requireBackupTarget, restoreVolumes, wholeTenants } from "./volumes.ts";

export const run: Run<{ readonly phase: "plan" | "apply"; readonly tenant?: string }> = async (given, output) => {
  const { phase, tenant } = given;
  const file = stackFileOf(given, tenant);
  const stack = file.stack.name;
  const inputs = { ...inputsOf(file), tenant };
  const read = await catalogueReader(file, output);
  const plan = restorePlan(await read(), inputs);
  const isPlanFine = plan.problems.length === 0;
  if (phase === "plan") {
    const at = new Date();
    return {
      json: { stack, at: at.toISOString(), ok: isPlanFine, ...plan },
      text: planText(plan, stack, at, output.style),
      ok: isPlanFine,
    };
  }
  const host = await reach(file, output);
  const remedy = "Bring the platform up first, with kraft:phase restore: pulumi up";
  await requireBackupTarget(host, defaultTarget, plan.target, remedy);
  const outcomes = await restoreVolumes(host, plan.order, {
    fieldManager: "kraft-restore",
    goal: () => ({ is: "restored", replicas: inputs.replicas }),
    refused: await refusedTenants(host, plan),
    remedy,
    note: output.note,
  });
  // A tenant that once moved here from another stack has now come back from this stack's own backups.
  const whole = new Set(wholeTenants(plan.order, outcomes));
  for (const { name, from } of inputs.tenants) {
    if (from !== undefined && whole.has(name)) {
      await annotateTenant(host, name, { [arrivedFromAnnotation]: from });
    }
  }
  const ok = allThere(outcomes) && isPlanFine;
  return {
    json: { stack, ok, volumes: outcomes, problems: plan.problems },
    text: outcomeText(outcomes, plan, stack, output.style),
    ok,
  };
};

/** Tenants of whom nothing may be touched, and why. */
async function refusedTenants(host: WritableHost, plan: RestorePlan): Promise<ReadonlyMap<string, string>> {
  const refused = new Map(plan.refused.map((name) => [name, "its volumes do not fit its quota"]));
  await Promise.all(
    plan.tenants.map(async ({ name, namespace }) => {
      const [live, clusters] = await Promise.all([
        host.get(paths.namespaces.named(namespace)),
        host.list(paths.clusters.in(namespace)),
      ]);
      if (live === undefined) {
        const why = `namespace ${namespace} does not exist: bring the platform up first, with kraft:phase restore`;
        refused.set(name, why);
      } else if (clusters.length > 0) {
        const guests = clusters.map(({ metadata }) => metadata.name).join(", ");
        const why = `the guest ${guests} exists and may have made empty volumes already: nothing of ${name} was touched`;
        refused.set(name, why);
      }
    }),
  );
  return refused;
}
