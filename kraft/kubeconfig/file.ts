import { randomBytes } from "node:crypto";
import { existsSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Failure, messageOf } from "../../errors/failure.ts";
import { checkout } from "../../infra/config/stack-file.ts";

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

/** Throws a Failure for a folder whose credentials the next commit would publish. `what` is going to be in it. */
export function refuseInRepository(folder: string, stackFolder: string, what: string): void {
  const path = `${real(resolve(folder))}${sep}`;
  if ([checkout, stackFolder].some((repository) => path.startsWith(`${real(repository)}${sep}`))) {
    throw new Failure(
      `${folder} lies in the repository: ${what} in there would be committed\n  Name a folder elsewhere.`,
    );
  }
}

/** Without symbolic links, as far as the path exists. */
function real(path: string): string {
  return existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(real(dirname(path)), path.slice(dirname(path).length));
}
