import { covers, kindOf, single } from "../../../components/plan/network/address.ts";
import { closest } from "../../../errors/closest.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";

/** Addresses of the machines and of the entrypoint: the boundary around tenants is built from them. */

/** Where `npm run local -- --simulated` puts nodes: a range for documentation (RFC 5737), so that no machine is ever called. */
export const simulatedRange = "198.51.100.0/24";

/** Every node of the stack has an address of its own, in the home network. */
export function nodeAddressProblems(
  stack: Pick<Stack, "distribution" | "network" | "nodes">,
  { network, nodes }: Partial<Config>,
): Problem[] {
  if (nodes === undefined) {
    return [];
  }
  const expected = stack.nodes.map(({ name }) => name);
  const missingNames = expected.filter((name) => !(name in nodes));
  const missing = missingNames.map((name) => ({
    key: `kraft:nodes.${name}`,
    found: "nothing",
    allowed: `the address of every node of this stack: ${expected.join(", ")}`,
    fix: `for example \`${name}: { address: 192.168.1.${11 + expected.indexOf(name)} }\``,
  }));
  const unknown = Object.keys(nodes)
    .filter((name) => !expected.includes(name))
    .map((name) => {
      // Only one that is missing: what is there already was not misspelt.
      const meant = closest(name, missingNames);
      const correction = meant === undefined ? "correct its name" : `write ${meant}`;
      return {
        key: `kraft:nodes.${name}`,
        found: "a node that this stack does not have",
        allowed: expected.join(", "),
        fix:
          stack.distribution === "k3s"
            ? `${correction}, or give every node its \`hardware\`: then kraft:nodes says which there are`
            : `${correction}, or describe the machine in stacks/`,
      };
    });
  const seen = new Map<string, string>();
  const fix = "read them with: kubectl --context <context> get nodes -o wide";
  const wrong = Object.entries(nodes).flatMap(([name, { address }]) => {
    const key = `kraft:nodes.${name}.address`;
    const other = seen.get(address);
    seen.set(address, name);
    return other === undefined
      ? outsideHome(stack, network, key, address, fix)
      : [
          {
            key,
            found: `${show(address)}, the address of ${other} as well`,
            allowed: "an address of its own for every node",
            fix,
          },
        ];
  });
  return [...missing, ...unknown, ...wrong];
}

/** The entrypoint's own address: where there is more than one node, in the home network, and none of theirs. */
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
        fix: `take the key out, and forward the router's ports 80 and 443, and those of tenants, to ${stack.nodes[0]?.name ?? "the node"}`,
      },
    ];
  }
  const fix = "take one of your home network that DHCP never gives away, for example 192.168.1.250";
  const owner = Object.keys(nodes).find((name) => nodes[name]?.address === entry);
  const found = `${show(entry)}, the address of ${owner}`;
  const taken = listIf(owner !== undefined, { key, found, allowed: "an address of no machine", fix });
  return [...taken, ...outsideHome(stack, network, key, entry, fix)];
}

/**
 * Why an address cannot be one of the home network. Addresses of the internet can, where the stack file says so: some providers
 * give a range of them to a line.
 */
function outsideHome(
  stack: Pick<Stack, "network">,
  network: Config["network"] | undefined,
  key: string,
  address: string,
  fix: string,
): Problem[] {
  const inside = [stack.network.podCidr, stack.network.serviceCidr].find((range) => covers(range, single(address)));
  if (inside !== undefined) {
    const allowed = "an address of your home network, not of the cluster's own";
    return [{ key, found: `${show(address)}, in ${inside}`, allowed, fix }];
  }
  const kind = kindOf(address);
  const declared = (network?.home ?? []).some((range) => covers(range, single(address)));
  const allowed = "an address of your home network: in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10";
  const simulated = covers(simulatedRange, single(address));
  return kind === "home" || (kind === "internet" && declared) || simulated
    ? []
    : kind === "internet"
      ? [
          {
            key,
            found: `${show(address)}, an address of the internet`,
            allowed,
            fix: `${fix}; if your line has a range of such addresses, name it in kraft:network.home`,
          },
        ]
      : [{ key, found: `${show(address)}, which no machine can have for others`, allowed, fix }];
}
