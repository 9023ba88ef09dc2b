import { Failure } from "../../errors/failure.ts";
import { eventually } from "../api.ts";
import { isRunning } from "../processes.ts";
import { asRoot } from "../root.ts";
import { readState } from "../state.ts";
import { machineProcess } from "./enter.ts";

/**
 * Takes a machine's power away: all its processes end in the same moment, and its cables lead nowhere. Nobody is told.
 *
 * @throws Failure if it is off already, or does not go off.
 */
export async function cutPower(directory: string, machine: string): Promise<void> {
  const pid = machineProcess(directory, machine);
  if (pid === undefined) {
    throw new Failure(`The machine ${machine} is off already.`);
  }
  asRoot(["kill", "-KILL", String(pid)], `The power of ${machine} must be cut`);
  if (!(await eventually(() => Promise.resolve(machineProcess(directory, machine) === undefined), 10))) {
    throw new Failure(`The machine ${machine} does not go off.`);
  }
}

/**
 * Starts the machines of a home that are off, with the disks that they had.
 *
 * @throws Failure if no home runs.
 */
export function powerOn(directory: string): void {
  const home = readState(directory)?.processes["home"];
  // Of one that ended, another process may have the number by now.
  if (home === undefined || !isRunning(home)) {
    throw new Failure(`${directory} holds no home that runs.`);
  }
  // See powerSignal in local/tools/home.
  asRoot(["kill", "-USR1", String(home.pid)], "The machines must be started");
}
