import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Failure, messageOf } from "../../errors/failure.ts";
import { placeholder } from "../../infra/config/keys/values.ts";
import { readStackYaml, stackFilePath } from "../../infra/config/pulumi-files.ts";

/**
 * Throws a Failure if a stack file is there that is anybody's: writing over it would lose the line that opens all its secrets. Kraft's
 * own example may be replaced: its domain is a placeholder, nothing in it is encrypted, and git has the very same text.
 */
export function checkPlace(stack: string, directory: string): void {
  const path = stackFilePath(directory, stack);
  if (!existsSync(path) || isExample(path)) {
    return;
  }
  const file = basename(path);
  throw new Failure(
    `${file} is there already and was left as it is\n` +
      `  to change it: edit it; npx kraft check -s ${stack} says what is missing\n` +
      `  to begin anew: mv ${file} ${file}.old, then run this again; copy encryptionsalt and every value with \`secure:\` over from the old one`,
  );
}

function isExample(path: string): boolean {
  const text = readFileSync(path, "utf8");
  return !/\b(secure|encryptionsalt)\b/.test(text) && hasPlaceholderDomain(path) && isCommitted(path);
}

function hasPlaceholderDomain(path: string): boolean {
  try {
    const domain = readStackYaml(path)?.config?.["kraft:domain"];
    return typeof domain === "string" && placeholder.domain.test(domain);
  } catch {
    // Whatever it is, it is not the example.
    return false;
  }
}

/** Whether git has the file as it is. Not where there is no git. */
function isCommitted(path: string): boolean {
  const git = (...rest: readonly string[]): boolean =>
    spawnSync("git", ["-C", dirname(path), ...rest, "--", basename(path)], { stdio: "ignore" }).status === 0;
  return git("ls-files", "--error-unmatch") && git("diff", "--quiet", "HEAD");
}

/** Writes a stack file whole or not at all, where `checkPlace` allows one. */
export function writeStackFile(stack: string, directory: string, text: string): void {
  checkPlace(stack, directory);
  const path = stackFilePath(directory, stack);
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(beside, text, { flag: "wx" });
    if (existsSync(path)) {
      renameSync(beside, path);
    } else {
      // Unlike renaming, it fails where somebody made the file meanwhile.
      linkSync(beside, path);
    }
  } catch (error) {
    throw new Failure(`${path} cannot be written: ${messageOf(error)}`);
  } finally {
    rmSync(beside, { force: true });
  }
}
