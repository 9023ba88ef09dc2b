/**
 * A failure outside this program that the operator can do something about. Its message says what was found and how to fix
 * it, and is shown without a stack trace.
 */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** A command line that cannot be understood. The message says what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a failed system call, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
