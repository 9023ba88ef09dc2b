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

/** 80, 443 and these ports, as a set of nftables has them. */
export function forwardedElements(ports: readonly ForwardedPort[]): string {
  return [...entryPorts, ...ports].map(({ port, protocol }) => `${protocol} . ${port}`).join(", ");
}

/**
 * Has the router of a home that runs forward 80, 443 and these ports, and no others.
 *
 * @throws Failure if it does not.
 */
export function forwardPorts(directory: string, ports: readonly ForwardedPort[]): void {
  const elements = forwardedElements(ports);
  const file = forwardedFile(directory);
  const text = `flush set ip router forwarded\nadd element ip router forwarded { ${elements} }\n`;
  writeFileWhole(file, text, 0o644);
  const { status, stderr } = runInMachine(directory, router.name, "nft", "-f", file);
  if (status !== 0) {
    throw new Failure(`The router does not forward ${elements}: ${stderr}`);
  }
}
