import type { Stack } from "../../stacks/index.ts";
import { show, type Problem, type Warning } from "../../errors/problem.ts";
import { k3kReleases, type K3kRelease } from "../versions.ts";

/** A version of K3k must be one whose defects are known here. */
export function k3kVersionProblems(version: string): Problem[] {
  if (k3kReleases.some((release) => release.version === version)) {
    return [];
  }
  return [
    {
      key: "kraft:k3kVersion",
      found: show(version),
      allowed: k3kReleases.map((release) => release.version).join(", "),
      fix: "remove the key to run the stack's own version",
    },
  ];
}

/** What is known to be wrong with a version of K3k on this hardware. */
export function k3kWarnings(release: K3kRelease, stack: Stack): Warning[] {
  const key = `K3k ${release.version}`;
  const warnings: Warning[] = [];
  if (release.badWithSeveralNodes !== undefined && stack.nodes.length > 1) {
    warnings.push({ key, message: `known to be bad on ${stack.nodes.length} nodes: ${release.badWithSeveralNodes}` });
  }
  if (release.caution !== undefined) {
    warnings.push({ key, message: release.caution });
  }
  return warnings;
}
