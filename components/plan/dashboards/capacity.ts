import { podsPerNode } from "../machines/k3s.ts";
import { allowanceSeries } from "../monitoring/parts.ts";
import { bars, limits, lines, page } from "./panels.ts";

/** Something that the nodes have and pods use up. */
interface Resource {
  readonly title: string;
  readonly unit: "bytes" | "number";
  readonly used: string;
  /** What each node has, with its name as label. */
  readonly ofNode: string;
  /** What all tenants together may use, where that is of this kind: a promise of CPU is kept by turns, and volumes have copies. */
  readonly promised?: string;
}

const resources: readonly Resource[] = [
  {
    title: "Memory",
    unit: "bytes",
    used: "sum(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)",
    ofNode: "node_memory_MemTotal_bytes",
    promised: `sum(${allowanceSeries}{resource="memory"})`,
  },
  {
    title: "CPU",
    unit: "number",
    used: 'sum(rate(node_cpu_seconds_total{mode!~"idle|iowait"}[5m]))',
    ofNode: 'count by (node) (node_cpu_seconds_total{mode="idle"})',
  },
  {
    title: "Pods",
    unit: "number",
    used: "sum(kubelet_running_pods)",
    ofNode: `${podsPerNode} * count by (node) (kubelet_running_pods)`,
    promised: `sum(${allowanceSeries}{resource="pods"})`,
  },
  {
    title: "Disks of volumes",
    unit: "bytes",
    used: "sum(longhorn_disk_usage_bytes)",
    ofNode: "sum by (node) (longhorn_disk_capacity_bytes)",
  },
];

/** What all nodes but the largest have; nothing where there is one node. */
function remains(ofNode: string): string {
  return `(sum(${ofNode}) - max(${ofNode}) > 0)`;
}

/** Capacity with one node lost: whether the others could carry what runs. */
export const capacity = page({
  uid: "kraft-capacity",
  title: "Capacity with one node lost",
  description: "What is used, against what remains when the largest node is gone",
  past: "7d",
  panels: [
    bars({
      title: "Used of what remains without the largest node",
      description: "From 100 % on, pods of a lost node wait. While a node is gone, the next one is counted as lost.",
      size: [24, 8],
      queries: Object.fromEntries(resources.map(({ title, used, ofNode }) => [title, `${used} / ${remains(ofNode)}`])),
      unit: "part",
      limits: limits(0.8, 1),
      none: "of one node, nothing remains",
    }),
    ...resources.map(({ title, unit, used, ofNode, promised }) =>
      lines({
        title,
        description:
          "Used is everything on the nodes, the platform too. A preview says whether what is promised to tenants fits.",
        size: [12, 8],
        queries: {
          used,
          ...(promised !== undefined && { "promised to tenants": promised }),
          "all nodes": `sum(${ofNode})`,
          "without the largest": remains(ofNode),
        },
        unit,
      }),
    ),
  ],
});
