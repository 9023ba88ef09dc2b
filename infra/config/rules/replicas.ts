import { type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";

/** Copies of a volume are on different nodes: more copies than nodes would leave every volume degraded for ever. */
export function replicaProblems(stack: Stack, { storage }: Partial<Config>): Problem[] {
  const nodes = stack.nodes.length;
  const replicas = storage?.replicas ?? 0;
  if (replicas <= nodes) {
    return [];
  }
  const on = nodes === 1 ? "this stack has one node" : `this stack has ${nodes} nodes`;
  return [
    {
      key: "kraft:storage.replicas",
      found: show(replicas),
      allowed: `1 to ${nodes}: each copy is on a node of its own, and ${on}`,
      fix: `kraft:storage: { replicas: ${nodes} }, or remove the key`,
    },
  ];
}
