import { spawnSync } from "node:child_process";
import { Failure } from "../errors/failure.ts";

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The command line that runs a command as root: as it is, or through a sudo that asks for nothing. */
export function rootCommand(...command: readonly string[]): readonly string[] {
  return isRoot() ? command : ["sudo", "-n", ...command];
}

/**
 * Runs a command as root.
 *
 * @param why What must be done, as the beginning of a sentence.
 * @throws Failure with what the command said, and the command to run by hand
 */
export function asRoot(command: readonly string[], why: string): void {
  const [executable = "", ...rest] = rootCommand(...command);
  const result = spawnSync(executable, rest, { encoding: "utf8" });
  if (result.status !== 0) {
    const said = (result.error?.message ?? `${result.stdout}${result.stderr}`).trim();
    throw new Failure(
      `${why}, which ${isRoot() ? "failed" : "needs root"}: ${said}\nRun this once, then run the command again:\n  ${isRoot() ? "" : "sudo "}${command.join(" ")}`,
    );
  }
}
