import type { LiveNode } from "../../cluster/live-nodes.ts";
import { byteQuantity } from "../../components/plan/size.ts";
import { listIf, type Problem, type Warning } from "../../errors/problem.ts";
import { rounded } from "../checks/figures.ts";
import type { ClusterNode, Model } from "../model.ts";

/**
 * How much less than the stack file says a node may report, as a share of what the file says and in GiB on top:
 *
 * - threads: nothing. The kubelet counts what `nproc` counts.
 * - memory: a 64th, which the kernel takes for its list of pages (64 of 4096 bytes; docs.kernel.org/mm), and 1 GiB for the
 *   firmware, the graphics of an OptiPlex, and the kernel itself. All of it is missing in MemTotal, which the kubelet reports, and
 *   a missing module is larger: they have 4 GiB and more.
 * - longhorn: a 32nd, since ext4's tables of inodes take a 64th (mke2fs.conf: 256 bytes for each 16384), and its journal and
 *   descriptors the rest, where somebody wrote the size of the volume.
 */
const tolerance = {
  threads: { share: 0, gibibytes: 0 },
  memory: { share: 1 / 64, gibibytes: 1 },
  longhorn: { share: 1 / 32, gibibytes: 0 },
} as const;

type Figure = keyof typeof tolerance;

interface Comparison {
  readonly figure: Figure;
  readonly declared: number;
  readonly reported: number | undefined;
}

function comparisons(node: ClusterNode, live: LiveNode): Comparison[] {
  return [
    { figure: "threads", declared: node.threads, reported: live.threads },
    { figure: "memory", declared: node.memoryGiB, reported: live.memoryGiB },
    { figure: "longhorn", declared: node.longhornGiB, reported: live.longhornGiB },
  ];
}

/** The least that a node must report. */
function least({ figure, declared }: Comparison): number {
  const { share, gibibytes } = tolerance[figure];
  return declared * (1 - share) - gibibytes;
}

/** The most that a node can report without anybody having to wonder: what is rounded off, and the tolerance. */
function most({ figure, declared }: Comparison): number {
  return figure === "threads" ? declared : declared + Math.max(1, declared * tolerance[figure].share);
}

function figureText(figure: Figure, value: number): string {
  return figure === "threads" ? String(value) : `${rounded(value)} GiB`;
}

/**
 * Nodes that are less than the stack file says, that have another address, or that it does not know. Capacity, cost and the time
 * of a restore are calculated from the first, and the walls round the tenants from the others.
 *
 * @param live None where there is no cluster to look at.
 */
export function hardwareProblems(
  { nodes, machines }: Pick<Model, "nodes" | "machines">,
  live: readonly LiveNode[],
): Problem[] {
  return live.flatMap((found) => {
    const node = nodes.find(({ name }) => name === found.name);
    const key = `kraft:nodes.${found.name}`;
    if (node === undefined) {
      return [
        {
          key,
          found: `nothing, and the cluster has a node ${found.name}${found.addresses.length === 0 ? "" : `, ${found.addresses.join(", ")}`}`,
          allowed: `every node of the cluster: tenants' pods are kept away from the addresses that the stack file names`,
          fix: `add it, with its address and hardware; if the machine is gone for good: kubectl delete node ${found.name}`,
        },
      ];
    }
    return [
      ...comparisons(node, found).flatMap((comparison) => {
        const { figure, declared, reported } = comparison;
        return reported === undefined || reported >= least(comparison)
          ? []
          : [
              {
                key: `${key}.hardware.${figure}`,
                found: `${figureText(figure, declared)}, and the node reports ${figureText(figure, reported)}`,
                allowed: `what the node reports${toleranceText(figure)}. Capacity, cost and restore times above are wrong until then`,
                fix: `if the machine is as it should be: ${hardwareText(node, found)}`,
              },
            ];
      }),
      // Kraft itself gives its machines the address of the stack file.
      ...listIf(isElsewhere(node, found) && machines === undefined, {
        key: `${key}.address`,
        found: `${node.address}, and the node reports ${found.addresses.join(", ")}`,
        allowed: "the node's own address (InternalIP): tenants' pods are kept away from the address in the stack file",
        fix: `pulumi config set --path ${key}.address ${found.addresses[0] ?? ""}`,
      }),
    ];
  });
}

/** Nodes that are more than the stack file says, that it names and the cluster does not have, or that get another address. */
export function hardwareWarnings(
  { nodes, machines }: Pick<Model, "nodes" | "machines">,
  live: readonly LiveNode[],
): Warning[] {
  if (live.length === 0) {
    return [];
  }
  return nodes.flatMap((node) => {
    const key = `kraft:nodes.${node.name}`;
    const found = live.find(({ name }) => name === node.name);
    if (found === undefined) {
      return [{ key, message: "not a node of the cluster, but the tables count it" }];
    }
    return [
      ...comparisons(node, found).flatMap((comparison) => {
        const { figure, declared, reported } = comparison;
        return reported === undefined || reported <= most(comparison)
          ? []
          : [
              {
                key: `${key}.hardware.${figure}`,
                message: `${figureText(figure, declared)}, and the node reports ${figureText(figure, reported)}: more could be promised`,
              },
            ];
      }),
      ...listIf(isElsewhere(node, found) && machines !== undefined, {
        key: `${key}.address`,
        message: `${node.address}, and the node still reports ${found.addresses.join(", ")}`,
      }),
    ];
  });
}

function isElsewhere({ address }: ClusterNode, { addresses }: LiveNode): boolean {
  return addresses.length > 0 && !addresses.includes(address);
}

function toleranceText(figure: Figure): string {
  switch (figure) {
    case "threads":
      return "";
    case "memory":
      return ", and at most 1/64 and 1 GiB more, which kernel, firmware and graphics keep";
    case "longhorn":
      return ", and at most 1/32 more, which the file system's own tables take";
  }
}

/** The key `hardware` as it would be right, with what is reported in place of what is too much or too little. */
function hardwareText(node: ClusterNode, live: LiveNode): string {
  const [threads, memory, longhorn] = comparisons(node, live).map((comparison) => {
    const { declared, reported } = comparison;
    return reported === undefined || reported >= least(comparison) ? declared : reported;
  });
  const gibibytes = (value = 0): string =>
    byteQuantity(value < 1 ? Math.floor(value * 1024) : Math.floor(value) * 1024);
  const figures = [
    `threads: ${threads}`,
    `memory: ${gibibytes(memory)}`,
    `longhorn: ${gibibytes(longhorn)}`,
    ...(node.watts === undefined ? [] : [`watts: ${node.watts}`]),
    ...((node.networkDrivers ?? []).length === 0 ? [] : [`networkDrivers: [${node.networkDrivers?.join(", ")}]`]),
  ];
  return `${node.name}: { …, hardware: { ${figures.join(", ")} } }`;
}
