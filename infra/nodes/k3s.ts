import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { K3sNodes } from "../../components/k3s-nodes.ts";
import { k3sRelease } from "../../components/plan/machines/k3s.ts";
import { type K3sClusterPlan, k3sLimits, k3sReleases } from "../../components/plan/machines/node-script.ts";
import type { Stack } from "../../stacks/index.ts";
import type { ClusterNode, K3sMachines } from "../model.ts";

function script(name: string): string {
  return readFileSync(new URL(`../../components/nodes/k3s/${name}.sh`, import.meta.url), "utf8");
}

/** The texts of a node's scripts. */
export function nodeScripts(): { readonly node: readonly string[]; readonly token: string } {
  const parts = ["common", "prepare", "health", "install", "join", "node"];
  return { node: parts.map(script), token: script("token") };
}

/** Declares the machines of a stack on k3s. */
export function declareK3s(stack: Stack, nodes: readonly ClusterNode[], machines: K3sMachines): K3sNodes {
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
