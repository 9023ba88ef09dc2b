import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engineFolder } from "../../local/engine.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import type { Ended } from "../fixtures/kraft/command.ts";

/** The operator's passphrase for the stack file of a home, below the home's folder. */
export const passphraseFile = join("credentials", "pulumi-passphrase");

/** What the operator has in the environment to use the stack file of a home. */
export function operatorEnvironment(directory: string): Readonly<Record<"PULUMI_CONFIG_PASSPHRASE", string>> {
  return { PULUMI_CONFIG_PASSPHRASE: readFileSync(join(directory, passphraseFile), "utf8").trim() };
}

/** Runs the Pulumi CLI on the stack of a home, as its operator does. */
export async function pulumi(directory: string, line: readonly string[], input = ""): Promise<Ended> {
  const tools = await readyTools(silentReporter);
  const workDir = engineFolder(directory);
  const { status, stdout, stderr } = spawnSync(toolPath(tools, "pulumi"), [...line, "--non-interactive"], {
    cwd: workDir,
    input,
    encoding: "utf8",
    maxBuffer: 256 * 1024 ** 2,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PULUMI_HOME: join(workDir, "home"),
      PULUMI_BACKEND_URL: `file://${join(workDir, "state")}`,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...operatorEnvironment(directory),
    },
  });
  return { code: status, stdout, stderr };
}
