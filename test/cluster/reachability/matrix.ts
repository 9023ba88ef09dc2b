import type { KubernetesObject } from "../../../cluster/objects.ts";
import { table } from "../../../infra/table.ts";
import type { Api } from "../../../local/api.ts";
import { type Pod, type Protocol, type Query, reachable, type Snapshot } from "./analyser.ts";

/** One row of the matrix: somewhere that a packet may go to, and every sender that it may come from. */
export interface Destination {
  readonly name: string;
  /** A pod's key, or `ip:` and an address. */
  readonly to: string;
  readonly protocol?: Protocol;
  readonly port: number;
  /** Names of the senders that must get there. Every other one must not. */
  readonly from: readonly string[];
}

/** One column of the matrix. */
export interface Sender {
  readonly name: string;
  /** A pod's key, or `ip:` and an address. */
  readonly key: string;
}

/** The NetworkPolicies and namespaces that an API server holds, with pods that stand for the real ones. */
export async function snapshot(api: Api, pods: Readonly<Record<string, Pod>>): Promise<Snapshot> {
  const [networkPolicies, namespaces] = await Promise.all([
    api.list("/apis/networking.k8s.io/v1/networkpolicies"),
    api.list("/api/v1/namespaces"),
  ]);
  return {
    networkPolicies,
    namespaces: Object.fromEntries(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
    pods,
  };
}

/** Labels that pods of a workload get, read from the API server itself. */
export async function podLabels(api: Api, path: string): Promise<Readonly<Record<string, string>>> {
  const workload = await api.get<
    KubernetesObject & {
      readonly spec: { readonly template: { readonly metadata: { readonly labels: Record<string, string> } } };
    }
  >(path);
  if (workload === undefined) {
    throw new Error(`there is no ${path}`);
  }
  return workload.spec.template.metadata.labels;
}

/**
 * The matrix as text: a row for each destination, a column for each sender, and in each cell `yes` or a dash.
 *
 * @returns what the policies say, and what was expected
 */
export async function matrix(
  executable: string,
  cluster: Snapshot,
  senders: readonly Sender[],
  destinations: readonly Destination[],
): Promise<{ readonly found: string; readonly expected: string }> {
  const pairs = destinations.flatMap((destination) =>
    senders.filter(({ key }) => key !== destination.to).map((sender) => ({ sender, destination })),
  );
  const queries: readonly Query[] = pairs.map(({ sender, destination: { to, protocol = "TCP", port } }) => ({
    from: sender.key,
    to,
    protocol,
    port,
  }));
  const verdicts = await reachable(executable, cluster, queries);
  const allowed = new Set(
    pairs
      .filter((_, index) => verdicts[index]?.allowed === true)
      .map(({ sender, destination }) => `${sender.name} > ${destination.name}`),
  );
  const draw = (may: (sender: Sender, destination: Destination) => boolean): string =>
    table([
      ["to \\ from", ...senders.map(({ name }) => name)],
      ...destinations.map((destination) => [
        destination.name,
        ...senders.map((sender) => (sender.key === destination.to ? "itself" : may(sender, destination) ? "yes" : "-")),
      ]),
    ]).join("\n");
  return {
    found: draw((sender, destination) => allowed.has(`${sender.name} > ${destination.name}`)),
    expected: draw((sender, destination) => destination.from.includes(sender.name)),
  };
}
