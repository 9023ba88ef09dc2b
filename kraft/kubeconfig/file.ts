import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Failure, messageOf } from "../../errors/failure.ts";

/** Throws a Failure if a file is where a credential is to be written. */
export function checkTarget(path: string, force: boolean): void {
  if (!force && existsSync(path)) {
    throw new Failure(
      `${path} is there already and was left as it is\n  replace it with --force, or name another file`,
    );
  }
}

/** Writes a file that only its user can read, whoever could read the one that it replaces. */
export function writeCredential(path: string, text: string, force: boolean): void {
  checkTarget(path, force);
  try {
    if (!force) {
      writeFileSync(path, text, { mode: 0o600, flag: "wx" });
      return;
    }
    const beside = `${path}.${randomBytes(6).toString("hex")}`;
    try {
      writeFileSync(beside, text, { mode: 0o600, flag: "wx" });
      renameSync(beside, path);
    } finally {
      rmSync(beside, { force: true });
    }
  } catch (error) {
    throw new Failure(`${path} cannot be written: ${messageOf(error)}`);
  }
}
