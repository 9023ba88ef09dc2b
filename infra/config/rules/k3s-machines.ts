import { type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";
import { clusterInitProblems } from "./cluster-init.ts";
import { missingSecret } from "./secrets.ts";

/**
 * What `kraft:machines` needs on k3s. Nothing is asked of a stack whose machines are set up by hand.
 *
 * @param known Problems of single keys.
 */
export function k3sMachineProblems(stack: Stack, config: Partial<Config>, known: readonly Problem[]): Problem[] {
  const { machines, nodes = {} } = config;
  if (machines === undefined || stack.distribution === "talos") {
    return [];
  }
  if (stack.distribution !== "k3s") {
    return [
      {
        key: "kraft:machines",
        found: `a value, in a stack on ${stack.distribution}`,
        allowed: "only where the nodes run k3s or Talos",
        fix: "take the key out",
      },
    ];
  }
  const { recoverFrom } = machines;
  return [
    ...(recoverFrom === undefined
      ? []
      : [
          {
            key: "kraft:machines.recoverFrom",
            found: show(recoverFrom),
            allowed: "only on Talos: docs/machines-homelab.md says how to restore etcd on k3s",
            fix: "take the key out",
          },
        ]),
    ...stack.nodes
      .filter(({ name }) => nodes[name] !== undefined && nodes[name].hostKey === undefined)
      .map(({ name }) => ({
        key: `kraft:nodes.${name}.hostKey`,
        found: "nothing",
        allowed: "the host key of every node: Kraft talks to no machine that cannot prove its identity",
        fix: "read it on the node's own screen: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
      })),
    ...clusterInitProblems(config),
    ...missingSecret(
      "machineKey",
      config,
      known,
      "a secret, with kraft:machines",
      "ssh-keygen -t ed25519 -N '' -f key; pulumi config set --secret kraft:machineKey < key",
    ),
    ...missingSecret(
      "k3sToken",
      config,
      known,
      "a secret, with kraft:machines",
      "openssl rand -hex 32 | pulumi config set --secret kraft:k3sToken",
    ),
  ];
}
