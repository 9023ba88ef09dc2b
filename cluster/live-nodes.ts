import type { Host } from "./client.ts";
import type { LonghornNode, Node } from "./objects.ts";
import { paths } from "./paths.ts";
import { quantityOf } from "./quantity.ts";

/**
 * Label of a node that is one of several on the same machine, as those of the embedded home are: its kubelet reports all of that
 * machine, so that its figures say nothing.
 */
export const sharedMachineLabel = "kraft.dev/shared-machine";

/** What a node of the cluster reports of itself. Undefined is what it does not report yet. */
export interface LiveNode {
  readonly name: string;
  /** Its own addresses in the home network. */
  readonly addresses: readonly string[];
  readonly threads: number | undefined;
  /** What the kernel has of the installed memory. */
  readonly memoryGiB: number | undefined;
  /** Of the file systems on which Longhorn places copies of volumes. */
  readonly longhornGiB: number | undefined;
}

/** Asks a cluster for its nodes, and Longhorn, where it runs, for their disks. Sorted by name. */
export async function readLiveNodes(host: Pick<Host, "list">): Promise<LiveNode[]> {
  const [nodes, disks] = await Promise.all([host.list(paths.nodes.all), host.list(paths.longhornNodes.all)]);
  return nodes
    .map((node) =>
      liveNode(
        node,
        disks.find(({ metadata }) => metadata.name === node.metadata.name),
      ),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function liveNode({ metadata, status }: Node, longhorn: LonghornNode | undefined): LiveNode {
  const shared = metadata.labels?.[sharedMachineLabel] === "true";
  const { cpu, memory } = status?.capacity ?? {};
  return {
    name: metadata.name,
    addresses: (status?.addresses ?? []).flatMap(({ type, address }) =>
      type === "InternalIP" && address !== undefined ? [address] : [],
    ),
    threads: shared ? undefined : wholeNumber(cpu),
    memoryGiB: shared ? undefined : gibibytes(memory),
    longhornGiB: shared ? undefined : longhornGiB(longhorn),
  };
}

function wholeNumber(quantity: string | undefined): number | undefined {
  return /^[1-9][0-9]*$/.test(quantity ?? "") ? Number(quantity) : undefined;
}

function gibibytes(quantity: string | undefined): number | undefined {
  const bytes = quantityOf(quantity ?? "");
  return bytes === undefined ? undefined : bytes / 1024 ** 3;
}

function longhornGiB(node: LonghornNode | undefined): number | undefined {
  const disks = Object.entries(node?.status?.diskStatus ?? {})
    .filter(([name]) => node?.spec?.disks?.[name]?.allowScheduling !== false)
    .map(([, disk]) => disk?.storageMaximum ?? 0);
  const bytes = disks.reduce((sum, size) => sum + size, 0);
  return bytes === 0 ? undefined : bytes / 1024 ** 3;
}
