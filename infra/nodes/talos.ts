import * as pulumi from "@pulumi/pulumi";
import { hostTraits } from "../../components/plan/machines/machine.ts";
import { TalosNodes } from "../../components/talos-nodes.ts";
import type { Stack } from "../../stacks/index.ts";
import type { ClusterNode, Model, TalosMachines } from "../model.ts";

/**
 * Declares the machine of a stack on Talos.
 *
 * @throws Error where the stack does not describe exactly one machine and its Talos: a fault of `stacks/`, not the operator's.
 */
export function declareTalos(
  stack: Stack,
  nodes: readonly ClusterNode[],
  machines: TalosMachines,
  { kubeconfig, context }: Pick<Model["cluster"], "kubeconfig" | "context">,
): TalosNodes {
  const [node, ...others] = nodes;
  const { machine, drives } = node ?? {};
  const { talosVersion, initialTalosVersion } = stack;
  if (
    node === undefined ||
    machine === undefined ||
    drives === undefined ||
    others.length > 0 ||
    talosVersion === undefined ||
    initialTalosVersion === undefined
  ) {
    throw new Error(`stacks/${stack.name}.ts has to describe one machine, with the version of its Talos`);
  }
  return new TalosNodes("machines", {
    cluster: `kraft-${stack.name}`,
    kubeconfig: { file: kubeconfig, context },
    node: {
      name: node.name,
      address: node.address,
      machine,
      drives,
      longhornGiB: node.longhornGiB,
      traits: hostTraits(stack.distribution, nodes.length),
      talosVersion,
      network: stack.network,
    },
    initialTalosVersion,
    kubernetesVersion: stack.kubernetesVersion,
    init: machines.init,
    snapshots: `${kubeconfig.replace(/\.ya?ml$/, "")}-etcd`,
    rerunToken: machines.rerunToken,
    secrets: pulumi.secret(machines.secrets.talosSecrets),
    recoveryPassphrase: pulumi.secret(machines.secrets.diskPassphrase),
  });
}
