import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import { readOrUndefined } from "../processes.ts";
import { rootCommand } from "../root.ts";

/** The file that a home in a folder is started with. */
export function planFile(directory: string): string {
  return join(directory, "home.json");
}

/** The number of a machine's first process; undefined while the machine is off. */
export function machineProcess(directory: string, machine: string): number | undefined {
  const commandLine = ["machine", planFile(directory), machine].join("\0");
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    // Its own name is first, and differs.
    if (readOrUndefined(`/proc/${pid}/cmdline`)?.endsWith(`\0${commandLine}\0`) === true) {
      return Number(pid);
    }
  }
  return undefined;
}

/**
 * The command line that runs a command inside a machine, as somebody at its console would.
 *
 * @throws Failure if the machine is off.
 */
export function inMachine(directory: string, machine: string, ...command: readonly string[]): readonly string[] {
  // `ip netns exec` would hide the machine's cgroups behind a fresh /sys.
  return enter(directory, machine, ["--mount", "--net", "--pid", "--uts", "--ipc"], command);
}

/**
 * The command line that runs a program of this machine, with its files, in the network of a machine of the home.
 *
 * @throws Failure if the machine is off.
 */
export function inNetworkOf(directory: string, machine: string, ...command: readonly string[]): readonly string[] {
  return enter(directory, machine, ["--net"], command);
}

function enter(
  directory: string,
  machine: string,
  namespaces: readonly string[],
  command: readonly string[],
): readonly string[] {
  const pid = machineProcess(directory, machine);
  if (pid === undefined) {
    throw new Failure(`The machine ${machine} is off: no process of the home in ${directory} runs it.`);
  }
  return rootCommand("nsenter", `--target=${pid}`, ...namespaces, ...command);
}

/** What a command printed that ran inside a machine. */
export function runInMachine(
  directory: string,
  machine: string,
  ...command: readonly string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [executable = "", ...rest] = inMachine(directory, machine, ...command);
  const { status, stdout, stderr } = spawnSync(executable, rest, { encoding: "utf8", maxBuffer: 64 * 1024 ** 2 });
  return { status, stdout, stderr };
}
