import type { ConnectedHost } from "../../cluster/client.ts";
import { type LiveState, liveTenant, readLiveState } from "../../cluster/live-state.ts";
import { backupTargetUrl } from "../../components/plan/longhorn-values.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { tenantsOf } from "../../infra/config/model-of.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import { listAll, reach } from "../cli/host.ts";
import type { Output } from "../cli/output.ts";
import type { Result, Run } from "../cli/verb.ts";
import { catalogueReader, inputsOf } from "../restore/inputs.ts";
import { allThere } from "../restore/volumes.ts";
import { applyClaim, claimCollections, claimPlan, type ClaimWish } from "./claim.ts";
import { considered, declaredTenant, departure, onlyInBackups, type RecoverInputs, recoverPlan } from "./plan.ts";
import { recoverTenant } from "./tenant.ts";
import { claimOutcomeText, claimPlanText, outcomeText, planText } from "./text.ts";

interface Given {
  readonly tenant: string;
  readonly phase: "plan" | "apply";
  readonly claim?: string;
  readonly at?: string;
  readonly volume?: string;
}

interface Situation {
  readonly file: StackFile;
  readonly host: ConnectedHost;
  readonly live: LiveState;
  readonly inputs: RecoverInputs;
  readonly replicas: number;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, phase, claim, at, volume } = given;
  if (claim === undefined && (at !== undefined || volume !== undefined)) {
    throw new UsageError(`${at === undefined ? "--volume" : "--at"} is for one claim: name it with --claim`);
  }
  if (at !== undefined && volume !== undefined) {
    throw new UsageError("--at and --volume exclude each other: a backup, or a retained volume");
  }
  const file = stackFileOf(given, tenant);
  const { replicas, ...inputs } = { ...inputsOf(file), tenant, stack: file.stack.name };
  const host = await reach(file, output);
  const state = await output.during(`reading the cluster ${host.context}`, readLiveState(host));
  const situation = { file, host, live: considered(state, inputs), inputs, replicas };
  return claim === undefined
    ? wholeTenant(situation, phase, output)
    : oneClaim(situation, { tenant, claim, at, volume }, phase, output);
};

/** Everything of a tenant that is gone. */
async function wholeTenant(
  { file, host, live, inputs, replicas }: Situation,
  phase: Given["phase"],
  output: Output,
): Promise<Result> {
  const { tenant, stack } = inputs;
  const read = await catalogueReader(file, output);
  const listed = await read({ blocks: false });
  // Blocks matter for what is downloaded alone.
  const catalogue = onlyInBackups(live, inputs, listed.volumes).length === 0 ? listed : await read();
  const plan = recoverPlan(live, catalogue, inputs);
  const isPlanFine = plan.problems.length === 0 && plan.refused === null;
  if (phase === "plan") {
    const now = new Date();
    return {
      json: { stack, at: now.toISOString(), ok: isPlanFine, ...plan },
      text: planText(plan, stack, now, output.style),
      ok: isPlanFine,
    };
  }
  if (plan.refused !== null) {
    throw new Failure(`nothing of ${tenant} was changed: ${plan.refused}`);
  }
  const declared = tenantsOf(keysOf(file, ["tenants"]).tenants).find(({ name }) => name === tenant);
  const outcomes = await recoverTenant(host, {
    plan,
    live,
    target: catalogue.target,
    domains: declared?.domains ?? [],
    from: declaredTenant(inputs).from,
    replicas,
    note: output.note,
  });
  const ok = allThere(outcomes) && isPlanFine;
  return {
    json: { stack, tenant, ok, volumes: outcomes, problems: plan.problems },
    text: outcomeText(outcomes, plan, stack, output.style),
    ok,
  };
}

/** One volume alone. Longhorn itself knows all of its backups, so the bucket is not read and no passphrase is needed. */
async function oneClaim(
  { file, host, live, inputs, replicas }: Situation,
  wish: ClaimWish,
  phase: Given["phase"],
  output: Output,
): Promise<Result> {
  const { tenant, stack } = inputs;
  const away = departure(declaredTenant(inputs), liveTenant(live, tenant), live);
  if (away !== undefined) {
    throw new Failure(`nothing of ${tenant} was changed: ${away}`);
  }
  const seen = await output.during(`reading the cluster ${host.context}`, listAll(host, claimCollections));
  const plan = claimPlan(wish, live, seen, stack);
  const isPlanFine = plan.refused === null;
  if (phase === "plan") {
    const choice =
      wish.at === undefined ? (wish.volume === undefined ? "" : ` --volume ${wish.volume}`) : ` --at ${wish.at}`;
    const command = `npx kraft recover ${tenant} apply --claim ${wish.claim}${choice} -s ${stack}`;
    const now = new Date();
    return {
      json: { stack, at: now.toISOString(), ok: isPlanFine, ...plan },
      text: claimPlanText(plan, stack, now, output.style, command),
      ok: isPlanFine,
    };
  }
  if (plan.refused !== null) {
    throw new Failure(`nothing of ${tenant} was changed: ${plan.refused}`);
  }
  const outcome = await applyClaim(host, plan, seen, {
    target: backupTargetUrl(keysOf(file, ["backup"]).backup),
    replicas,
    note: output.note,
  });
  const ok = allThere([outcome]);
  return {
    json: { stack, ok, ...outcome },
    text: claimOutcomeText(outcome, plan, stack, output.style),
    ok,
  };
}
