import { Failure, UsageError } from "../../errors/failure.ts";

/**
 * Does something that takes long. The signal is aborted when the operator presses Ctrl-C or the system ends the program.
 */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const end = (name: string): void => {
    controller.abort(new Failure(`interrupted by ${name}`));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

/** An option in minutes, as milliseconds; a UsageError unless it is a number above 0. */
export function minutesOf(option: string, value: string | undefined, otherwise: number): number {
  const minutes = Number(value ?? otherwise);
  if (!(minutes > 0 && Number.isFinite(minutes))) {
    throw new UsageError(`${option} ${value ?? ""}: not a time\n  allowed: minutes, more than 0`);
  }
  return minutes * 60_000;
}
