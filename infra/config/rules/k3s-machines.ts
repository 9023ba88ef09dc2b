import type { Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";
import { show, type Problem } from "../../../errors/problem.ts";

/** What `kraft:machines` needs beside itself. Nothing is asked of a stack whose machines are set up by hand. */
export function machineProblems(stack: Stack, config: Partial<Config>): Problem[] {
  const { machines, nodes = {} } = config;
  if (machines === undefined) {
    return [];
  }
  const problems: Problem[] = [];
  if (stack.distribution === "talos") {
    // ./talos-machines.ts
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
  if (machines.recoverFrom !== undefined) {
    problems.push({
      key: "kraft:machines.recoverFrom",
      found: show(machines.recoverFrom),
      allowed: "only on Talos: k3s' etcd comes back as docs/machines-homelab.md says",
      fix: "take the key out",
    });
  }
  for (const { name } of stack.nodes) {
    if (nodes[name] !== undefined && nodes[name].hostKey === undefined) {
      problems.push({
        key: `kraft:nodes.${name}.hostKey`,
        found: "nothing",
        allowed: "the host key of every node: Kraft talks to no machine that cannot prove who it is",
        fix: "read it on the node's own screen: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
      });
    }
  }
  if (config.cluster !== undefined && machines.clusterInit === true) {
    problems.push({
      key: "kraft:machines.clusterInit",
      found: "true, although kraft:cluster.uid names a cluster",
      allowed: "true only until the first cluster exists: a node that was set up anew would begin another one",
      fix: "take the key out",
    });
  }
  for (const [key, make] of [
    ["machineKey", "ssh-keygen -t ed25519 -N '' -f key; pulumi config set --secret kraft:machineKey < key"],
    ["k3sToken", "openssl rand -hex 32 | pulumi config set --secret kraft:k3sToken"],
  ] as const) {
    if (config[key] === undefined) {
      problems.push({ key: `kraft:${key}`, found: "nothing", allowed: "a secret, with kraft:machines", fix: make });
    }
  }
  return problems;
}
