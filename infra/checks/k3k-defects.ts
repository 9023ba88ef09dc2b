import { listIf, type Warning } from "../../errors/problem.ts";
import type { Stack } from "../../stacks/index.ts";
import type { K3kRelease } from "../versions.ts";

/** Known defects of a version of K3k on this hardware. */
export function k3kWarnings(release: K3kRelease, stack: Stack): Warning[] {
  const key = `K3k ${release.version}`;
  const { badWithSeveralNodes: bad, caution = "" } = release;
  const nodes = stack.nodes.length;
  return [
    ...listIf(bad !== undefined && nodes > 1, { key, message: `known to be bad on ${nodes} nodes: ${bad}` }),
    ...listIf(caution !== "", { key, message: caution }),
  ];
}
