import type { K3sNodes } from "../../components/k3s-nodes.ts";
import type { TalosNodes } from "../../components/talos-nodes.ts";
import type { Stack } from "../../stacks/index.ts";
import type { ClusterNode, Model } from "../model.ts";
import { declareK3s } from "./k3s.ts";
import { declareTalos } from "./talos.ts";

/** Declares the machines that Kraft manages. */
export function declareNodes(
  stack: Stack,
  nodes: readonly ClusterNode[],
  machines: NonNullable<Model["machines"]>,
  kubeconfig: Pick<Model["cluster"], "kubeconfig" | "context">,
): K3sNodes | TalosNodes {
  return machines.distribution === "k3s"
    ? declareK3s(stack, nodes, machines)
    : declareTalos(stack, nodes, machines, kubeconfig);
}
