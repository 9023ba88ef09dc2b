import * as pulumi from "@pulumi/pulumi";
import { stacks } from "../stacks/index.ts";
import { readConfig } from "./config/read.ts";
import { findings } from "./findings.ts";
import { platform, type PlatformOutputs } from "./platform.ts";
import { tablesText } from "./table.ts";
import { ConfigError, refuse, validate } from "./validate.ts";

/** The whole program: the Pulumi CLI runs it by its name, the embedded stack and the tests by calling it. */
export default async function program(): Promise<PlatformOutputs> {
  try {
    const { stack, raw } = readConfig();
    const model = validate(stack, stacks, raw);
    const { tables, problems, warnings } = findings(model, new Date());
    // Before a refusal too: they are what it was calculated from.
    await pulumi.log.info(`\n${tablesText(tables)}\n`);
    for (const { key, message } of warnings) {
      await pulumi.log.warn(`${key}: ${message}`);
    }
    refuse(stack, problems);
    return await platform(model);
  } catch (error) {
    // Pulumi prints a RunError without a stack trace: the message is all that the operator needs.
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}
