import { show, type Problem } from "../../../errors/problem.ts";

/** Every node of the stack has one address, and nothing else has one: the boundary around tenants is made of them. */
export function nodeProblems(
  nodes: Readonly<Record<string, { readonly address: string }>>,
  expected: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  for (const name of expected.filter((name) => !(name in nodes))) {
    problems.push({
      key: `kraft:nodes.${name}`,
      found: "nothing",
      allowed: `the address of every node of this stack: ${expected.join(", ")}`,
      fix: `for example \`${name}: { address: 192.168.1.11 }\``,
    });
  }
  for (const name of Object.keys(nodes).filter((name) => !expected.includes(name))) {
    problems.push({
      key: `kraft:nodes.${name}`,
      found: "a node that this stack does not have",
      allowed: expected.join(", "),
      fix: "correct its name, or describe the hardware in stacks/",
    });
  }
  const seen = new Map<string, string>();
  for (const [name, { address }] of Object.entries(nodes)) {
    const other = seen.get(address);
    if (other !== undefined) {
      problems.push({
        key: `kraft:nodes.${name}.address`,
        found: `${show(address)}, the address of ${other} as well`,
        allowed: "an address of its own for every node",
        fix: "read them with: kubectl --context <context> get nodes -o wide",
      });
    }
    seen.set(address, name);
  }
  return problems;
}
