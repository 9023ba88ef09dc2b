import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { K3sNodes } from "../../components/k3s-nodes.ts";
import { k3sRelease } from "../../components/plan/machines/k3s.ts";
import { hostTraits } from "../../components/plan/machines/machine.ts";
import { type K3sClusterPlan, k3sLimits, k3sReleases } from "../../components/plan/machines/node-script.ts";
import { TalosNodes } from "../../components/talos-nodes.ts";
import type { Stack } from "../../stacks/index.ts";
import type { ClusterNode, K3sMachines, Model, TalosMachines } from "../model.ts";

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

function script(name: string): string {
  return readFileSync(new URL(`../../components/nodes/k3s/${name}.sh`, import.meta.url), "utf8");
}

/** The texts of a node's scripts. */
export function nodeScripts(): { readonly node: readonly string[]; readonly token: string } {
  const parts = ["common", "prepare", "health", "install", "join", "node"];
  return { node: parts.map(script), token: script("token") };
}

function declareK3s(stack: Stack, nodes: readonly ClusterNode[], machines: K3sMachines): K3sNodes {
  return new K3sNodes("machines", {
    plan: k3sPlan(stack, nodes, machines),
    scripts: nodeScripts(),
    ssh: {
      user: machines.user,
      privateKey: pulumi.secret(machines.secrets.machineKey),
      hostKeys: Object.fromEntries(nodes.map(({ name, hostKey = "" }) => [name, hostKey])),
    },
    token: pulumi.secret(machines.secrets.k3sToken),
  });
}

/** The inputs of every node's script. */
export function k3sPlan(stack: Stack, nodes: readonly ClusterNode[], machines: K3sMachines): K3sClusterPlan {
  return {
    nodes: nodes.map(({ name, address, networkDrivers = [] }) => ({ name, address, networkDrivers })),
    settings: {
      ...stack.network,
      apiNames: [...new Set([machines.api, ...nodes.map(({ address }) => address)])],
    },
    version: k3sRelease(stack.kubernetesVersion),
    releaseUrl: k3sReleases,
    sha256: machines.sha256,
    clusterInit: machines.clusterInit,
    longhorn: stack.storage,
    rerunToken: machines.rerunToken,
    limits: k3sLimits,
  };
}

/**
 * Declares the machine of a stack on Talos. It throws where `stacks/` does not describe exactly one, with its Talos.
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
