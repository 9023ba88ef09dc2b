import * as pulumi from "@pulumi/pulumi";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import type { RawConfig } from "./parse.ts";
import { secretKeys } from "./schema.ts";

/** Left out of the SDK's types as internal, but it is how `pulumi.Config` itself tells secrets apart. */
const { isConfigSecret } = runtime as unknown as { isConfigSecret: (key: string) => boolean };

/**
 * The `kraft:` keys of the stack that the engine runs: the only place that reads them. Keys that `Pulumi.yaml` declares
 * with an empty default, so that the engine leaves the complaint to us, count as not given.
 */
export function readConfig(): { readonly stack: string; readonly raw: RawConfig } {
  const values: Record<string, unknown> = {};
  const encrypted = new Set<string>();
  for (const [name, text] of Object.entries(runtime.allConfig())) {
    const key = name.startsWith("kraft:") ? name.slice("kraft:".length) : undefined;
    if (key === undefined || text === "") {
      continue;
    }
    values[key] = !secretKeys.has(key) && /^[[{]/.test(text) ? parsed(text) : text;
    if (isConfigSecret(name)) {
      encrypted.add(key);
    }
  }
  return { stack: pulumi.getStack(), raw: { values, encrypted } };
}

/** The engine hands maps and lists over as JSON, everything else as it stands. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
