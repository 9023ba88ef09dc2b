import "../components/chart-children.ts";
import { ConfigError, refuse } from "../errors/problem.ts";
import * as pulumi from "@pulumi/pulumi";
import { stacks } from "../stacks/index.ts";
import { readConfig } from "./config/read.ts";
import { Failure } from "../errors/failure.ts";
import { findings } from "./checks/findings.ts";
import { firstMachines, machinesComeFirst, type MachinesOutputs } from "./nodes/declare-k3s.ts";
import { declaredObjects, undeclaredProblems } from "./guards/declared.ts";
import { guard, type LiveSources } from "./guards/guard.ts";
import { liveSources } from "./guards/live-sources.ts";
import { platform, type PlatformOutputs } from "./platform.ts";
import { tablesText } from "./table.ts";
import { firstTalos, talosComesFirst, type TalosOutputs } from "./nodes/declare-talos.ts";
import { validate } from "./config/validate.ts";

/**
 * The whole program: the Pulumi CLI runs it by its name, the embedded stack and the tests by calling it.
 *
 * @param sources Where neither cluster nor bucket is there to be looked at, what to take for them.
 */
export default async function program(
  sources: LiveSources = liveSources,
): Promise<PlatformOutputs | MachinesOutputs | TalosOutputs> {
  try {
    const { stack, raw } = readConfig();
    const hardware = stacks.get(stack);
    if (machinesComeFirst(hardware, raw)) {
      return await firstMachines(hardware, raw);
    }
    if (talosComesFirst(hardware, raw)) {
      return await firstTalos(hardware, raw);
    }
    const model = validate(stack, stacks, raw);
    const now = new Date();
    const { tables, problems, warnings } = findings(model, now);
    // Before a refusal too: they are what it was calculated from.
    await pulumi.log.info(`\n${tablesText(tables)}\n`);
    for (const { key, message } of warnings) {
      await pulumi.log.warn(`${key}: ${message}`);
    }
    refuse(stack, problems);
    const guarded = await guard(model, sources, now);
    for (const { key, message } of guarded.warnings) {
      await pulumi.log.warn(`${key}: ${message}`);
    }
    const { outputs, charts, namespaces } = await platform(model, guarded.staged);
    refuse(stack, undeclaredProblems(guarded.live, await declaredObjects(charts, namespaces)));
    return outputs;
  } catch (error) {
    // Pulumi prints a RunError without a stack trace: the message is all that the operator needs.
    throw error instanceof ConfigError || error instanceof Failure ? new pulumi.RunError(error.message) : error;
  }
}
