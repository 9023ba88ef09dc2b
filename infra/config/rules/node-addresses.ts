import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";

/** Every node of the stack has an address of its own: the boundary around tenants is built from them. */
export function nodeAddressProblems(stack: Pick<Stack, "nodes">, { nodes }: Partial<Config>): Problem[] {
  if (nodes === undefined) {
    return [];
  }
  const expected = stack.nodes.map(({ name }) => name);
  const missing = expected
    .filter((name) => !(name in nodes))
    .map((name) => ({
      key: `kraft:nodes.${name}`,
      found: "nothing",
      allowed: `the address of every node of this stack: ${expected.join(", ")}`,
      fix: `for example \`${name}: { address: 192.168.1.11 }\``,
    }));
  const unknown = Object.keys(nodes)
    .filter((name) => !expected.includes(name))
    .map((name) => ({
      key: `kraft:nodes.${name}`,
      found: "a node that this stack does not have",
      allowed: expected.join(", "),
      fix: "correct its name, or describe the hardware in stacks/",
    }));
  const seen = new Map<string, string>();
  const shared = Object.entries(nodes).flatMap(([name, { address }]) => {
    const other = seen.get(address);
    seen.set(address, name);
    return listIf(other !== undefined, {
      key: `kraft:nodes.${name}.address`,
      found: `${show(address)}, the address of ${other} as well`,
      allowed: "an address of its own for every node",
      fix: "read them with: kubectl --context <context> get nodes -o wide",
    });
  });
  return [...missing, ...unknown, ...shared];
}
