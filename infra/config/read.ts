import * as pulumi from "@pulumi/pulumi";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import { type RawConfig, rawConfig } from "./parse.ts";

/** Left out of the SDK's types as internal, but it is how `pulumi.Config` itself tells secrets apart. */
const { isConfigSecret } = runtime as unknown as { isConfigSecret: (key: string) => boolean };

/** The stack that the engine runs, and its configuration. Nothing else in the program reads it. */
export function readConfig(): { readonly stack: string; readonly raw: RawConfig } {
  return { stack: pulumi.getStack(), raw: rawConfig(runtime.allConfig(), isConfigSecret) };
}
