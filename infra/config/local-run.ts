import { join } from "node:path";
import type { Stack } from "../../stacks/index.ts";
import { type PulumiFile, readPulumiFile, record, stackFilePath, type Values } from "./pulumi-files.ts";

/**
 * The embedded cluster's stack file, completed with the keys that `npm run local` supplies: those of its last run, or
 * stand-ins of the right form where there was none.
 */
export function completedByLocalRun(own: PulumiFile, stack: Stack, directory: string): PulumiFile {
  // Where local/main.ts and local/engine.ts keep them.
  const folder = join(directory, ".kraft", "local", stack.name);
  const lastRun = readPulumiFile(stackFilePath(join(folder, "pulumi"), stack.name));
  const supplied = Object.fromEntries(
    Object.entries(standIns(stack, folder)).map(([key, value]) => [key, lastRun?.config?.[key] ?? value]),
  );
  // Only the run knows the address of its S3 server; the rest of the key is the file's.
  const { endpoint } = record(supplied["kraft:backup"]);
  return {
    encryptionsalt: own.encryptionsalt ?? lastRun?.encryptionsalt,
    config: { ...supplied, ...own.config, "kraft:backup": { endpoint, ...record(own.config?.["kraft:backup"]) } },
  };
}

function standIns(stack: Stack, folder: string): Values {
  const secret = { secure: "made by npm run local" };
  return {
    "kraft:cluster": {
      kubeconfig: join(folder, "kubeconfig.yaml"),
      context: `kraft-local-${stack.name}`,
      uid: "11111111-1111-1111-1111-111111111111",
    },
    "kraft:nodes": Object.fromEntries(
      stack.nodes.map(({ name }, index) => [name, { address: `172.31.255.${index + 1}` }]),
    ),
    // Nothing listens there: before the first run, the bucket that the file names is never looked for at Wasabi.
    "kraft:backup": { endpoint: "http://127.0.0.1:1" },
    "kraft:wasabiAccessKeyId": secret,
    "kraft:wasabiSecretAccessKey": secret,
    "kraft:guestTokenSeed": secret,
  };
}
