import { show, type Problem } from "../../../errors/problem.ts";

/** Copies of a volume lie on different nodes; more copies than nodes would leave every volume degraded for ever. */
export function replicaProblems(replicas: number, nodes: number): Problem[] {
  if (replicas <= nodes) {
    return [];
  }
  const on = nodes === 1 ? "this stack has one node" : `this stack has ${nodes} nodes`;
  return [
    {
      key: "kraft:storage.replicas",
      found: show(replicas),
      allowed: `1 to ${nodes}: each copy lies on a node of its own, and ${on}`,
      fix: `kraft:storage: { replicas: ${nodes} }, or remove the key`,
    },
  ];
}
