import { join } from "node:path";
import type { PublicPort } from "../../components/plan/ports.ts";
import { Failure } from "../../errors/failure.ts";
import { writeFileWhole } from "../state.ts";
import { router } from "./addresses.ts";
import { runInMachine } from "./enter.ts";

/** A port that the router forwards. */
export type ForwardedPort = Pick<PublicPort, "port" | "protocol">;

const entryPorts: readonly ForwardedPort[] = [
  { port: 80, protocol: "tcp" },
  { port: 443, protocol: "tcp" },
];

/** The ports that a router's page lists under port forwarding, in a file that the router reads when it starts. */
export function forwardedFile(directory: string): string {
  return join(directory, "router", "forwarded.nft");
}

/** 80, 443 and these ports, each with the address that it leads to, as a map of nftables has them. */
export function forwardedElements(address: string, ports: readonly ForwardedPort[]): string {
  return [...entryPorts, ...ports].map(({ port, protocol }) => `${protocol} . ${port} : ${address}`).join(", ");
}

/**
 * Has the router of a home that runs forward 80, 443 and these ports, and no others.
 *
 * @param address Where to: that of a node, or the one that MetalLB keeps.
 * @throws Failure if it does not.
 */
export function forwardPorts(directory: string, address: string, ports: readonly ForwardedPort[]): void {
  const elements = forwardedElements(address, ports);
  const file = forwardedFile(directory);
  const text = `flush map ip router forwarded\nadd element ip router forwarded { ${elements} }\n`;
  writeFileWhole(file, text, 0o644);
  const { status, stderr } = runInMachine(directory, router.name, "nft", "-f", file);
  if (status !== 0) {
    throw new Failure(`The router does not forward ${elements}: ${stderr}`);
  }
}
