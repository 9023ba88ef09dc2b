import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** A pod of the cluster's own network. One on its node's network is its node's address instead: see {@link Query}. */
export interface Pod {
  readonly labels: Readonly<Record<string, string>>;
  /** Its address. A block of addresses in a policy matches the pod by it. */
  readonly ip: string;
  /** The ports of all its containers, for policies that name a port: without them, none of its ports has a name. */
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol: Protocol }[];
}

/** The part of a cluster that decides what traffic may flow in it. */
export interface Snapshot {
  /**
   * NetworkPolicies as the API server lists them, with the defaults it fills in. What is evaluated otherwise than
   * Kubernetes does is refused: a selector with `NotIn` or with an empty value in `matchLabels`.
   */
  readonly networkPolicies: readonly object[];
  /** The labels of every namespace, with the `kubernetes.io/metadata.name` that the API server sets. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By namespace and name: `acme/shop`. */
  readonly pods: Readonly<Record<string, Pod>>;
}

/** The key of a pod, or `ip:` and an address outside the cluster, for which no policy is evaluated on its own side. */
export type Peer = string;

/** One connection. A pod's connection to itself is refused, because no policy can forbid it. */
export interface Query {
  readonly from: Peer;
  readonly to: Peer;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Verdict {
  /** Whether both sides allow it. */
  readonly allowed: boolean;
  /** Whether the policies for the receiving pod allow it. */
  readonly ingress: boolean;
  /** Whether the policies for the sending pod allow it. */
  readonly egress: boolean;
}

/**
 * What the NetworkPolicies of a cluster say about connections, in the order of the queries. It is their meaning alone:
 * whether a network plugin enforces it, and whether anything listens, is another matter.
 *
 * @param executable The tool `network-policy-analyser`.
 * @throws with what is wrong, where the snapshot or a query is: nothing is guessed.
 */
export async function reachable(
  executable: string,
  snapshot: Snapshot,
  queries: readonly Query[],
): Promise<readonly Verdict[]> {
  const child = spawn(executable, { stdio: "pipe" });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  // A program that ends before it has read everything says why on its standard error.
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify({ ...snapshot, queries }));
  const [status, verdicts, message] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (status !== 0) {
    throw new Error(message.trim() || `${executable} was stopped`);
  }
  return JSON.parse(verdicts) as Verdict[];
}
