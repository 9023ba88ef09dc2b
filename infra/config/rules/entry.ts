import { covers, single } from "../../../components/plan/network/address.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";

/** The entrypoint's own address: where there is more than one node, and none of theirs, of their pods or Services. */
export function entryProblems(stack: Stack, { network, nodes = {} }: Partial<Config>): Problem[] {
  const entry = network?.entry;
  if (entry === undefined) {
    return [];
  }
  const key = "kraft:network.entry";
  if (stack.exposure === "hostPort") {
    return [
      {
        key,
        found: `${show(entry)}, in a stack of one node`,
        allowed: "only where there are several: an address that moves has nowhere to move to",
        fix: `take the key out, and forward the router's ports 80 and 443 to ${stack.nodes[0]?.name ?? "the node"}`,
      },
    ];
  }
  const fix = "take one of your home network that DHCP never gives away, for example 192.168.1.250";
  const owner = Object.keys(nodes).find((name) => nodes[name]?.address === entry);
  const found = `${show(entry)}, the address of ${owner}`;
  const taken = listIf(owner !== undefined, { key, found, allowed: "an address of no machine", fix });
  const inside = [stack.network.podCidr, stack.network.serviceCidr]
    .filter((range) => covers(range, single(entry)))
    .map((range) => ({
      key,
      found: `${show(entry)}, in ${range}`,
      allowed: "an address of your home network, not of the cluster's own",
      fix,
    }));
  return [...taken, ...inside];
}
