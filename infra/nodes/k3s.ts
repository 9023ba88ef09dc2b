import { k3sRelease } from "../../components/plan/machines/k3s.ts";
import { k3sLimits, k3sReleases, type K3sClusterPlan } from "../../components/plan/machines/node-script.ts";
import type { Stack } from "../../stacks/index.ts";
import type { Config } from "../config/schema.ts";

/** The machines of a stack as the operator declared them: what Kraft prepares, and how it reaches them. */
export interface Machines {
  readonly user: string;
  /** Where the API server is reached from outside: a name, else the first node's address. */
  readonly api: string;
  readonly clusterInit: boolean;
  readonly sha256: { readonly amd64?: string; readonly arm64?: string };
  readonly again: string | undefined;
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly hostKey: string }[];
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: { readonly machineKey: string; readonly k3sToken: string };
}

/** The keys of a stack file that machines are made of. */
export type MachineConfig = Pick<Config, "machines" | "nodes" | "machineKey" | "k3sToken">;

/** Undefined where the machines are set up by hand. The configuration was checked before. */
export function machinesOf(stack: Stack, config: MachineConfig): Machines | undefined {
  const { machines } = config;
  if (machines === undefined || stack.distribution !== "k3s") {
    return undefined;
  }
  const nodes = stack.nodes.map(({ name }) => {
    const { address = "", hostKey = "" } = config.nodes[name] ?? {};
    return { name, address, hostKey };
  });
  const { amd64, arm64 } = machines.sha256 ?? {};
  return {
    user: machines.user ?? "kraft",
    api: machines.api ?? nodes[0]?.address ?? "",
    clusterInit: machines.clusterInit === true,
    sha256: { ...(amd64 === undefined ? {} : { amd64 }), ...(arm64 === undefined ? {} : { arm64 }) },
    again: machines.again,
    nodes,
    secrets: { machineKey: config.machineKey ?? "", k3sToken: config.k3sToken ?? "" },
  };
}

/** What every node's script is made of: the stack's hardware and the operator's few choices. */
export function machinesPlan(stack: Stack, machines: Machines): K3sClusterPlan {
  return {
    nodes: machines.nodes.map(({ name, address }) => ({
      name,
      address,
      networkDrivers: stack.nodes.find((node) => node.name === name)?.networkDrivers ?? [],
    })),
    settings: {
      ...stack.network,
      apiNames: [...new Set([machines.api, ...machines.nodes.map(({ address }) => address)])],
    },
    version: k3sRelease(stack.kubernetesVersion),
    releaseUrl: k3sReleases,
    sha256: machines.sha256,
    clusterInit: machines.clusterInit,
    longhorn: stack.storage,
    rerunToken: machines.again,
    limits: k3sLimits,
  };
}
