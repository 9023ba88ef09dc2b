import { Failure } from "../../errors/failure.ts";
import type { Stack } from "../../stacks/index.ts";

/** A machine of the home or of its internet. */
export interface Host {
  readonly name: string;
  readonly address: string;
}

/**
 * The home's network, with the addresses that the stack files have as examples, and a small internet behind the router, in
 * a range for documentation (RFC 5737). All of it exists in namespaces only: no address of it is ever on this machine's own network.
 */
export const lan = { name: "lan", prefix: 24, cidr: "192.168.1.0/24" } as const;
export const internet = { name: "internet", prefix: 24, cidr: "203.0.113.0/24" } as const;

export const router = { name: "router", address: "192.168.1.1", publicAddress: "203.0.113.7" } as const;

/** A neighbour in the home that no tenant may reach. */
export const nas: Host = { name: "nas", address: "192.168.1.20" };

/** Name server, certificate authority and a web site of the internet. */
export const provider: Host = { name: "provider", address: "203.0.113.53" };

/** Somebody on the internet with a browser. */
export const visitor: Host = { name: "visitor", address: "203.0.113.99" };

/** The address of a node in the home. */
export function nodeAddress(stack: Pick<Stack, "nodes">, name: string): string {
  return `192.168.1.${11 + stack.nodes.findIndex((node) => node.name === name)}`;
}

/**
 * The node whose machine runs the control plane: the first.
 *
 * @throws Failure if the stack has no node.
 */
export function controlPlaneNode(stack: Pick<Stack, "name" | "nodes">): Host {
  const [first] = stack.nodes;
  if (first === undefined) {
    throw new Failure(`The stack ${stack.name} has no node.`);
  }
  return { name: first.name, address: nodeAddress(stack, first.name) };
}

/** A node's part of the pods' addresses, which a route on every other node leads to. */
export function podCidr({ nodes, network }: Pick<Stack, "nodes" | "network">, name: string): string {
  const [first = "", second = ""] = network.podCidr.split(".");
  return `${first}.${second}.${nodes.findIndex((node) => node.name === name)}.0/24`;
}
