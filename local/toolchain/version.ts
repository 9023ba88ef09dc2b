import { coerce, satisfies } from "semver";
import type { Match } from "./tools.ts";

/** Whether a tool that the machine already has can stand in for the version that Kraft was tested with. */
export function versionFits(found: string, wanted: string, match: Match): boolean {
  const version = /\d+\.\d+/.test(found) ? coerce(found) : null;
  const tested = coerce(wanted);
  if (version === null || tested === null) {
    return false;
  }
  return satisfies(version, match === "sameMinor" ? `${tested.major}.${tested.minor}.x` : `^${tested.version}`);
}
