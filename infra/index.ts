import "../components/chart-children.ts";
import * as pulumi from "@pulumi/pulumi";
import { Failure } from "../errors/failure.ts";
import { ConfigError, listIf, refuse, type Warning } from "../errors/problem.ts";
import { stacks } from "../stacks/index.ts";
import { findings } from "./checks/findings.ts";
import { readConfig } from "./config/read.ts";
import { keysReadOtherwise } from "./config/stack-file.ts";
import { validate } from "./config/validate.ts";
import { putBackHandEdits } from "./drift/put-back.ts";
import { guard, type Guarded, type LiveSources, liveSources } from "./guards/guard.ts";
import { seeThrough } from "./guards/guest-restarts.ts";
import { declaredObjects, undeclaredProblems } from "./guards/losses.ts";
import { bootstrap } from "./nodes/bootstrap.ts";
import { needsBootstrap } from "./nodes/needs-bootstrap.ts";
import { platform, type Restarts } from "./platform.ts";
import { tablesText } from "./table.ts";

/**
 * The whole program. The Pulumi CLI runs it by its name; the embedded stack and the tests call it.
 *
 * @param directory The folder of the stack file, where it is one of the operator's: it must be one that every verb of
 *   `kraft` reads as the engine does.
 */
export default async function program(sources: LiveSources = liveSources, now = new Date(), directory?: string) {
  try {
    const { stack, raw } = readConfig();
    const hardware = stacks.get(stack);
    if (hardware !== undefined && directory !== undefined) {
      await warn(readingWarnings(`Pulumi.${stack}.yaml`, keysReadOtherwise(hardware, directory, raw)));
    }
    if (needsBootstrap(hardware, raw)) {
      return await bootstrap(hardware, raw);
    }

    // Parse, rules, model: is the stack file valid?
    const model = validate(stack, stacks, raw);

    // Checks: can the hardware and the line carry it? The tables come first, since a refusal follows from them.
    const { tables, problems, warnings } = findings(model, now);
    await pulumi.log.info(`\n${tablesText(tables)}\n`);
    await warn(warnings);
    refuse(stack, problems);

    // Guards: would it lose data of the live cluster? They decide how much of each tenant is declared.
    const guarded = await guard(model, sources, now);
    await warn(guarded.warnings);
    if (guarded.byHand !== undefined) {
      putBackHandEdits(guarded.byHand.host, guarded.byHand.edits);
    }

    // Components.
    const { outputs, charts, namespaces } = await platform(model, guarded.staged, restartsOf(guarded));
    refuse(stack, undeclaredProblems(guarded.live, await declaredObjects(charts, namespaces)));
    return outputs;
  } catch (error) {
    // Pulumi prints a RunError without a stack trace: the message is all that the operator needs.
    throw error instanceof ConfigError || error instanceof Failure ? new pulumi.RunError(error.message) : error;
  }
}

/** A preview restarts nothing. */
function restartsOf({ restarts, byHand }: Guarded): Restarts | undefined {
  return byHand === undefined || pulumi.runtime.isDryRun()
    ? undefined
    : { ...restarts, seeThrough: (tenant) => seeThrough(byHand.host, restarts, tenant) };
}

function readingWarnings(file: string, keys: readonly string[]): Warning[] {
  const message = `Pulumi has another value for ${keys.join(", ")}. npx kraft reads ${file}; pass no --config-file`;
  return listIf(keys.length > 0, { key: file, message });
}

async function warn(warnings: readonly Warning[]): Promise<void> {
  for (const { key, message } of warnings) {
    await pulumi.log.warn(`${key}: ${message}`);
  }
}
