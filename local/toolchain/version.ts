import type { Match } from "./tools.ts";

/** Major, minor and patch of `3.215.0`, `v1.35.4` or `1.35.4-k3s1`; undefined where it is no version. */
export function parseVersion(text: string): readonly [number, number, number] | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text.trim());
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** Whether a tool that the machine has does for the one that Kraft was tested with. */
export function versionFits(found: string, wanted: string, match: Match): boolean {
  const [a, b] = [parseVersion(found), parseVersion(wanted)];
  if (a === undefined || b === undefined) {
    return false;
  }
  switch (match) {
    case "sameMinor":
      return a[0] === b[0] && a[1] === b[1];
    case "sameMajorNotOlder":
      return a[0] === b[0] && (a[1] > b[1] || (a[1] === b[1] && a[2] >= b[2]));
  }
}
