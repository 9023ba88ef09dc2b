import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../errors/failure.ts";

/** Milliseconds between two looks. */
const pause = 300;

/**
 * Keeps settling while `action` runs. What cannot be settled makes the action's failure, or its own, the result.
 *
 * @param settle One look at the cluster, and what it makes necessary.
 */
export async function whileSettling<Result>(
  settle: () => Promise<void>,
  action: () => Promise<Result>,
): Promise<Result> {
  let ended = false;
  let problem: unknown;
  const loop = async (): Promise<void> => {
    while (!ended) {
      try {
        await settle();
      } catch (error) {
        problem = error;
        if (error instanceof Failure) {
          return;
        }
      }
      await sleep(pause);
    }
  };
  const looping = loop();
  try {
    return await action();
  } catch (error) {
    throw problem instanceof Failure ? new Failure(`${problem.message}\n\n${String(error)}`) : error;
  } finally {
    ended = true;
    await looping;
  }
}
