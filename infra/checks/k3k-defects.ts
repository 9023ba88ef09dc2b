import type { Warning } from "../../errors/problem.ts";
import type { Stack } from "../../stacks/index.ts";
import type { K3kRelease } from "../versions.ts";

/** Known defects of a version of K3k on this hardware. */
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
