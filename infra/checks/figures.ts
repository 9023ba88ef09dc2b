import type { LonghornFigures } from "../../components/plan/longhorn-values.ts";
import { k3sReserves, podsPerNode } from "../../components/plan/machines/k3s.ts";
import { monitoringSizes, reporterSize } from "../../components/plan/monitoring/sizes.ts";
import { type Amounts, k3kOverhead, tenantAllowance } from "../../components/plan/size.ts";
import type { NodeHardware, Stack } from "../../stacks/index.ts";
import type { Model, Tenant } from "../model.ts";

/** What pods need of a cluster: thousandths of a CPU, mebibytes, and their number. */
export type Need = Pick<Amounts, "millicpu" | "memoryMebibytes" | "pods">;

/**
 * What a node keeps for itself and does not give to pods: `systemReserved`, `kubeReserved` and `evictionHard`.
 *
 * - k3s: what Kraft sets on the machines that it manages. By default k3s reserves nothing, but its server process takes
 *   about as much, so that it is counted either way.
 * - Talos: 1 CPU and 1 CPU, 2 GiB and 2 GiB, and the kubelet's own eviction threshold of 100 MiB: what Kraft recommends.
 * - embedded: what the simulated nodes show as allocatable (local/simulated-nodes.ts).
 */
const reserved: Readonly<
  Record<Stack["distribution"], { readonly millicpu: number; readonly memoryMebibytes: number }>
> = {
  k3s: {
    millicpu: k3sReserves.system.millicpu + k3sReserves.kube.millicpu,
    memoryMebibytes:
      k3sReserves.system.memoryMebibytes + k3sReserves.kube.memoryMebibytes + k3sReserves.evictionMebibytes,
  },
  talos: { millicpu: 2000, memoryMebibytes: 4 * 1024 + 100 },
  embedded: { millicpu: 0, memoryMebibytes: 1024 },
};

/** What a node can give to pods. */
export function allocatable(node: NodeHardware, distribution: Stack["distribution"]): Need {
  const own = reserved[distribution];
  return {
    millicpu: Math.max(0, node.threads * 1000 - own.millicpu),
    memoryMebibytes: Math.max(0, node.memoryGiB * 1024 - own.memoryMebibytes),
    pods: podsPerNode,
  };
}

/**
 * What Longhorn's pods on a node use without requesting it: manager, CSI plugin, engine image, and the instance manager
 * with its engines and replicas. An assumption; to be measured with `kubectl top pods -n longhorn-system` under load.
 */
const longhornMemoryOnNode = 1024;

/** One of Longhorn's pods that run once or twice in the cluster. An assumption, as above. */
const longhornMemoryOnce = 64;

/**
 * What the platform needs on every node, besides Longhorn's instance manager.
 *
 * - Traefik: components/plan/traefik-values.ts.
 * - Longhorn: manager, CSI plugin, engine image, instance manager (longhorn/longhorn 1.12.1, chart): no request but the
 *   instance manager's CPU.
 */
const onEveryNode: Need = { millicpu: 100, memoryMebibytes: 128 + longhornMemoryOnNode, pods: 1 + 4 };

/**
 * What the distribution runs on every node.
 *
 * - k3s: `svclb-traefik`, where it gives Services their addresses; it requests nothing (k3s-io/klipper-lb).
 * - Talos: API server 200m and 512 MiB, controller manager 50m and 256 MiB, scheduler 10m and 64 MiB, flannel 100m and
 *   50 MiB, kube-proxy. Talos' defaults, from memory.
 */
const distributionOnNode: Readonly<Record<Stack["distribution"], Need>> = {
  k3s: { millicpu: 0, memoryMebibytes: 0, pods: 1 },
  talos: { millicpu: 360, memoryMebibytes: 882, pods: 5 },
  embedded: { millicpu: 0, memoryMebibytes: 0, pods: 0 },
};

/**
 * What the distribution runs for the whole cluster.
 *
 * - k3s: CoreDNS and metrics-server, 100m and 70 MiB each (the manifests that k3s ships).
 * - Talos: two CoreDNS, 100m and 70 MiB each (Talos' default, from memory).
 */
const distributionOnce: Readonly<Record<Stack["distribution"], Need>> = {
  k3s: { millicpu: 200, memoryMebibytes: 140, pods: 2 },
  talos: { millicpu: 200, memoryMebibytes: 140, pods: 2 },
  embedded: { millicpu: 0, memoryMebibytes: 0, pods: 0 },
};

/** K3k's controller: components/k3k.ts. */
const k3kController: Need = { millicpu: 50, memoryMebibytes: 128, pods: 1 };

/** cert-manager: two controllers and webhooks where there are two nodes: components/plan/cert-manager-values.ts. */
function certManager(nodes: number): Need {
  const replicas = Math.min(2, nodes);
  return { millicpu: 30 * replicas + 10, memoryMebibytes: 144 * replicas + 96, pods: 2 * replicas + 1 };
}

/**
 * MetalLB's speaker on every node, and its one controller, for which the chart has no requests: plan/metallb-values.ts.
 */
function metalLb(nodes: number): Need {
  const pods = nodes + 1;
  return { millicpu: 20 * pods, memoryMebibytes: 48 * pods, pods };
}

/** What watches the platform, and what draws dashboards of it: plan/monitoring/sizes.ts. */
function monitoring(nodes: readonly NodeHardware[], dashboards: Model["dashboards"]): Need {
  const sizes = monitoringSizes(nodes);
  const parts = [
    sizes.prometheus,
    sizes.alertmanager,
    sizes.probes,
    sizes.objects,
    reporterSize,
    ...nodes.map(() => sizes.nodes),
    ...(dashboards === undefined ? [] : [sizes.grafana]),
  ];
  return {
    millicpu: total(parts, ({ millicpu }) => millicpu),
    memoryMebibytes: total(parts, ({ memoryMebibytes }) => memoryMebibytes),
    pods: parts.length,
  };
}

/** Longhorn's pods beside those on every node: driver deployer, interface, and four kinds of CSI sidecars. */
function longhornOnce(nodes: number): Need {
  const pods = 2 + 4 * Math.min(2, nodes);
  return { millicpu: 0, memoryMebibytes: pods * longhornMemoryOnce, pods };
}

/**
 * What the platform itself needs on the stack's nodes, without one that is lost. Replicas that find no second node are
 * still counted; MetalLB runs only where the entrypoint has an address of its own, and monitoring where alerts go somewhere.
 */
export function platformNeed(
  stack: Stack,
  settings: LonghornFigures,
  { entry, alerts, dashboards }: Pick<Model, "entry" | "alerts" | "dashboards">,
): Need {
  const { nodes, distribution } = stack;
  // A share of the node's allocatable CPU, rounded (longhorn-manager 1.12.1, setting `guaranteed-instance-manager-cpu`).
  const instanceManager = (node: NodeHardware): Need => ({
    millicpu: Math.round((allocatable(node, distribution).millicpu * settings.guaranteedInstanceManagerCpu) / 100),
    memoryMebibytes: 0,
    pods: 0,
  });
  return sum([
    ...nodes.flatMap((node) => [onEveryNode, distributionOnNode[distribution], instanceManager(node)]),
    distributionOnce[distribution],
    k3kController,
    certManager(nodes.length),
    longhornOnce(nodes.length),
    ...(entry === undefined ? [] : [metalLb(nodes.length)]),
    ...(alerts === undefined ? [] : [monitoring(nodes, dashboards)]),
  ]);
}

/** All of several needs together. */
export function sum(needs: readonly Need[]): Need {
  return {
    millicpu: total(needs, ({ millicpu }) => millicpu),
    memoryMebibytes: total(needs, ({ memoryMebibytes }) => memoryMebibytes),
    pods: total(needs, ({ pods }) => pods),
  };
}

/** What a tenant was promised, and what K3k needs for the guest on top. */
export interface Share {
  readonly tenant: Tenant;
  readonly allowance: Amounts;
  readonly overhead: Amounts;
}

/** @param nodes Number of nodes that run: K3k has a kubelet on each. */
export function shares(tenants: Model["tenants"], nodes: number): Share[] {
  return tenants.map((tenant) => ({
    tenant,
    allowance: tenantAllowance(tenant.size, tenant.quota),
    overhead: k3kOverhead(nodes),
  }));
}

/** Bytes of all volumes of a tenant: its own, and the datastore of the guest. Each is backed up. */
export function volumeBytes({ allowance, overhead }: Share): number {
  return (allowance.storageMebibytes + overhead.storageMebibytes) * bytesPerMebibyte;
}

export const bytesPerMebibyte = 1024 * 1024;
export const secondsPerHour = 3600;

/** The sum of one figure of each entry. */
export function total<Entry>(entries: readonly Entry[], figure: (entry: Entry) => number): number {
  return entries.reduce((sum, entry) => sum + figure(entry), 0);
}

/** A number with at most so many decimals, without zeros at its end. */
export function rounded(value: number, decimals = 1): string {
  return String(Number(value.toFixed(decimals)));
}
