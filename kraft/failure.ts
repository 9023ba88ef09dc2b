export { Failure, messageOf } from "../infra/failure.ts";

/** A command line that cannot be understood. The message says what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
