import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";

/** A name that Kubernetes takes for a node, without dots: Kraft makes names of resources of it. */
const nodeName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What nodes that the stack file describes must have beyond figures of the right form. */
export function hardwareProblems(stack: Pick<Stack, "nodes">, { nodes = {}, prices }: Partial<Config>): Problem[] {
  return [
    ...Object.keys(nodes)
      .filter((name) => !nodeName.test(name))
      .map((name) => ({
        key: `kraft:nodes.${name}`,
        found: show(name),
        allowed: "lower-case letters, digits and hyphens, at most 63, as Kubernetes names its nodes",
        fix: "write the name that kubectl get nodes shows, or will show: the machine's host name",
      })),
    ...(prices === undefined ? [] : stack.nodes).flatMap(({ name, watts }) =>
      listIf(watts === undefined, {
        key: `kraft:nodes.${name}.hardware.watts`,
        found: "nothing",
        allowed: "the watts of every node, since kraft:prices says what electricity costs",
        fix: "measure it at the socket, between idle and ordinary work, or take kraft:prices out",
      }),
    ),
  ];
}
