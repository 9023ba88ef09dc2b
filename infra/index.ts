import * as pulumi from "@pulumi/pulumi";
import { stacks } from "../stacks/index.ts";
import { k3kWarnings } from "./checks/versions.ts";
import { readConfig } from "./config/read.ts";
import { platform, type PlatformOutputs } from "./platform.ts";
import { ConfigError, validate } from "./validate.ts";

/** The whole program: the Pulumi CLI runs it by its name, the embedded stack and the tests by calling it. */
export default async function program(): Promise<PlatformOutputs> {
  try {
    const { stack, raw } = readConfig();
    const model = validate(stack, stacks, raw);
    for (const { key, message } of k3kWarnings(model.k3k, model.stack)) {
      await pulumi.log.warn(`${key}: ${message}`);
    }
    return await platform(model);
  } catch (error) {
    // Pulumi prints a RunError without a stack trace: the message is all that the operator needs.
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}
