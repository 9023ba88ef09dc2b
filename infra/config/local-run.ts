import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Stack } from "../../stacks/index.ts";

/**
 * The keys that `npm run local` supplies to the stack file of the embedded cluster: those of its last run where there was
 * one, else some that have the right form.
 */
export function suppliedByLocalRun(
  stack: Stack,
  directory: string,
): { readonly config: Record<string, unknown>; readonly encryptionsalt?: string } {
  // Where local/main.ts and local/engine.ts keep the stack file that they ran.
  const file = join(directory, ".kraft", "local", stack.name, "pulumi", `Pulumi.${stack.name}.yaml`);
  const ran = existsSync(file)
    ? (parse(readFileSync(file, "utf8")) as {
        readonly config?: Record<string, unknown>;
        readonly encryptionsalt?: string;
      })
    : undefined;
  const config = Object.fromEntries(
    Object.entries(placeholders(stack, directory)).map(([key, value]) => [key, ran?.config?.[key] ?? value]),
  );
  return { config, ...(ran?.encryptionsalt === undefined ? {} : { encryptionsalt: ran.encryptionsalt }) };
}

function placeholders(stack: Stack, directory: string): Record<string, unknown> {
  const secret = { secure: "made by npm run local" };
  return {
    "kraft:cluster": {
      kubeconfig: join(directory, ".kraft", "local", stack.name, "kubeconfig"),
      context: `kraft-local-${stack.name}`,
      uid: "11111111-1111-1111-1111-111111111111",
    },
    "kraft:nodes": Object.fromEntries(
      stack.nodes.map(({ name }, index) => [name, { address: `172.31.255.${index + 1}` }]),
    ),
    // Where nothing listens until there is a run: the bucket that the file names is never asked for at Wasabi.
    "kraft:backup": { endpoint: "http://127.0.0.1:1" },
    "kraft:wasabiAccessKeyId": secret,
    "kraft:wasabiSecretAccessKey": secret,
    "kraft:guestTokenSeed": secret,
  };
}
