import type { Hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where all checkouts of this user share what is expensive to make. */
export function cacheDirectory(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : resolve(base), "kraft");
}

/**
 * Adds every file below a folder, with its path, to a hash.
 *
 * @param except Folders whose files are left out.
 */
export function hashFiles(
  hash: Hash,
  folder: string,
  { except = [] }: { readonly except?: readonly string[] } = {},
): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  for (const file of files.filter((path) => !except.some((left) => path.startsWith(`${left}/`)))) {
    hash
      .update(`${file.slice(folder.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
}
