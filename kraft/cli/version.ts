import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../infra/config/stack-file.ts";

/** The version in package.json, and the commit where this is a git checkout. */
export function version(): string {
  const { version: released } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const commit = existsSync(join(checkout, ".git")) ? commitOf(checkout) : undefined;
  return commit === undefined ? released : `${released} (commit ${commit})`;
}

function commitOf(folder: string): string | undefined {
  try {
    const show = ["-C", folder, "rev-parse", "--short", "HEAD"];
    return execFileSync("git", show, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
