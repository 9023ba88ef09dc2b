import { readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { stackFileOf, stackFileWith } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { recordArrival } from "../move/record.ts";
import { bucketKey } from "../secrets/stack-secrets.ts";
import { applyRestore } from "./apply.ts";
import { inputsOf, storeOf } from "./inputs.ts";
import { restorePlan } from "./plan.ts";
import { outcomeText, planText } from "./text.ts";
import { allThere, wholeTenants } from "./volumes.ts";

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
