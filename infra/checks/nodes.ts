import { listIf, type Warning } from "../../errors/problem.ts";
import type { Model } from "../model.ts";

/**
 * A number of nodes that is worse than one fewer. Every node of k3s has a copy of etcd, which answers while more than half of
 * them do (etcd.io/docs, FAQ: "Why an odd number of cluster members?").
 */
export function nodeWarnings({ stack }: Pick<Model, "stack">): Warning[] {
  const count = stack.nodes.length;
  const spare = count / 2 - 1;
  const survives = spare === 0 ? "if either node is lost, the API server stops" : `it survives the loss of ${spare}`;
  return listIf(stack.distribution === "k3s" && count % 2 === 0, {
    key: "kraft:nodes",
    message: `${count} nodes: ${survives}, as with ${count - 1}. An odd number is better`,
  });
}
