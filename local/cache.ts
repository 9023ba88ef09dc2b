import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where all checkouts of this user share what is expensive to make. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : resolve(base), "kraft");
}
