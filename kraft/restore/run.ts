import type { WritableHost } from "../../cluster/client.ts";
import { defaultTarget } from "../../cluster/longhorn.ts";
import { paths } from "../../cluster/paths.ts";
import { readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { stackFileOf, stackFileWith } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { recordArrival } from "../move/record.ts";
import { bucketKey } from "../secrets/stack-secrets.ts";
import { inputsOf, storeOf } from "./inputs.ts";
import { type RestorePlan, restorePlan } from "./plan.ts";
import { outcomeText, planText } from "./text.ts";
import { allThere, type Outcome, requireBackupTarget, restoreVolumes, wholeTenants } from "./volumes.ts";

interface Given {
  readonly phase: "plan" | "apply";
  readonly tenant?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { phase, tenant } = given;
  const file = tenant === undefined ? stackFileOf(given) : stackFileWith(tenant, given);
  const stack = file.stack.name;
  const inputs = { ...inputsOf(file), tenant };
  const store = storeOf(file, await bucketKey(file, process.env));
  const where = `reading the backups in ${store.bucket} at ${store.endpoint}`;
  const plan = restorePlan(await output.during(where, readCatalogue(store)), inputs);
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
  const outcomes = await applyRestore(host, plan, { replicas: inputs.replicas, note: output.note });
  // A tenant that once moved here from another stack has now come back from this stack's own backups.
  const whole = new Set(wholeTenants(plan.order, outcomes));
  for (const { name, from } of inputs.tenants) {
    if (from !== undefined && whole.has(name)) {
      await recordArrival(host, name, from);
    }
  }
  const ok = allThere(outcomes) && isPlanFine;
  return {
    json: { stack, ok, volumes: outcomes, problems: plan.problems },
    text: outcomeText(outcomes, plan, stack, output.style),
    ok,
  };
};

/** How a restore is done. */
export interface ApplyOptions {
  /** Replicas of each volume in the end. */
  readonly replicas: number;
  /** Called with what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Brings volumes back. It creates and raises, and never deletes; where it is interrupted, the next run continues from what
 * exists. A retained volume is given back to its claim. What is in the way of one volume keeps no other.
 *
 * @throws Failure before anything is touched, where the cluster cannot restore: another backup target, or no classes.
 */
export async function applyRestore(
  host: WritableHost,
  plan: RestorePlan,
  { replicas, note }: ApplyOptions,
): Promise<Outcome[]> {
  const remedy = "Bring the platform up first, with kraft:phase restore: pulumi up";
  await requireBackupTarget(host, defaultTarget, plan.target, remedy);
  return restoreVolumes(host, plan.order, {
    fieldManager: "kraft-restore",
    goal: () => ({ is: "restored", replicas }),
    refused: await refusedTenants(host, plan),
    remedy,
    note,
  });
}

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
        refused.set(
          name,
          `namespace ${namespace} does not exist: bring the platform up first, with kraft:phase restore`,
        );
      } else if (clusters.length > 0) {
        refused.set(
          name,
          `the guest ${clusters.map(({ metadata }) => metadata.name).join(", ")} exists and may have made empty volumes already: nothing of ${name} was touched`,
        );
      }
    }),
  );
  return refused;
}
