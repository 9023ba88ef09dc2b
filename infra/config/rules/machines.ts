import { wwidPrefix } from "../../../components/plan/machines/machine.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { NodeHardware, Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";
import { missingSecret } from "./secrets.ts";

type Machines = NonNullable<Config["machines"]>;

/** What `kraft:machines` needs. Nothing is asked of a stack whose machines are set up by hand. */
export function machineProblems(stack: Stack, config: Partial<Config>, known: readonly Problem[]): Problem[] {
  const { machines, cluster, nodes = {} } = config;
  if (machines === undefined) {
    return [];
  }
  if (stack.distribution === "embedded") {
    return [
      {
        key: "kraft:machines",
        found: `a value, in a stack on ${stack.distribution}`,
        allowed: "only where the nodes run k3s or Talos",
        fix: "take the key out",
      },
    ];
  }
  const secret = (name: keyof Config, on: string, fix: string): Problem[] =>
    missingSecret(name, config, known, `a secret, with kraft:machines${on}`, fix);
  return [
    ...listIf(machines.clusterInit && cluster !== undefined, {
      key: "kraft:machines.clusterInit",
      found: "true, although kraft:cluster.uid names a cluster",
      allowed: "true only until the first cluster exists: a machine that was reinstalled would start another one",
      fix: "take the key out",
    }),
    ...(stack.distribution === "k3s"
      ? [
          ...k3sProblems(stack, machines, nodes),
          // Not how to make one: a new key opens no machine.
          ...secret("machineKey", "", "pulumi config set --secret kraft:machineKey < ~/.ssh/kraft"),
          ...secret("k3sToken", "", "openssl rand -hex 32 | pulumi config set --secret kraft:k3sToken"),
        ]
      : [
          ...talosProblems(stack, machines, nodes),
          ...secret(
            "talosSecrets",
            " on Talos",
            "talosctl gen secrets -o - | pulumi config set --secret kraft:talosSecrets",
          ),
          ...secret(
            "diskPassphrase",
            " on Talos",
            "openssl rand -hex 32 | pulumi config set --secret kraft:diskPassphrase",
          ),
        ]),
  ];
}

function k3sProblems(stack: Stack, { recoverFrom }: Machines, nodes: Config["nodes"]): Problem[] {
  return [
    ...listIf(recoverFrom !== undefined, {
      key: "kraft:machines.recoverFrom",
      found: show(recoverFrom),
      allowed: "only on Talos: docs/machines-homelab.md says how to restore etcd on k3s",
      fix: "take the key out",
    }),
    ...stack.nodes
      .filter(({ name }) => nodes[name] !== undefined && nodes[name].hostKey === undefined)
      .map(({ name }) => ({
        key: `kraft:nodes.${name}.hostKey`,
        found: "nothing",
        allowed: "the host key of every node: Kraft talks to no machine that cannot prove its identity",
        fix: "read it on the node's own screen: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
      })),
  ];
}

function talosProblems(stack: Stack, machines: Machines, nodes: Config["nodes"]): Problem[] {
  return [
    ...(["user", "api", "sha256"] as const)
      .filter((key) => machines[key] !== undefined)
      .map((key) => ({
        key: `kraft:machines.${key}`,
        found: show(machines[key]),
        allowed: "only on k3s, whose nodes are reached over SSH",
        fix: "take the key out",
      })),
    ...listIf(machines.clusterInit && machines.recoverFrom !== undefined, {
      key: "kraft:machines.recoverFrom",
      found: `${show(machines.recoverFrom)}, although kraft:machines.clusterInit asks for a new cluster`,
      allowed: "one of the two: an empty cluster, or the one in the snapshot",
      fix: "take out the one that you do not mean",
    }),
    ...stack.nodes.flatMap((node) => {
      const declared = nodes[node.name];
      return declared === undefined ? [] : driveProblems(node, declared.drives);
    }),
  ];
}

function driveProblems({ name, machine }: NodeHardware, drives: Config["nodes"][string]["drives"]): Problem[] {
  const key = `kraft:nodes.${name}.drives`;
  const fix = "read them with: talosctl get disks --insecure --nodes <address>";
  if (drives === undefined) {
    const allowed = "the WWIDs of both drives: names like sda change from one start to the next";
    return [{ key, found: "nothing", allowed, fix }];
  }
  const prefix = machine === undefined ? "" : wwidPrefix(machine);
  return [
    ...(["system", "longhorn"] as const)
      .filter((drive) => !drives[drive].startsWith(prefix))
      .map((drive) => ({
        key: `${key}.${drive}`,
        found: show(drives[drive]),
        allowed: `a logical drive of the Smart Array, whose WWID begins with ${prefix}`,
        fix,
      })),
    ...listIf(drives.system === drives.longhorn, {
      key: `${key}.longhorn`,
      found: `${show(drives.longhorn)}, the system's drive as well`,
      allowed: "a drive of its own: what is on the system's is overwritten when Talos is installed",
      fix: "make two logical drives, see docs/machines-proliant.md",
    }),
  ];
}
