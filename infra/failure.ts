/** Something that went wrong outside this program. The message is all that the operator needs to see. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
