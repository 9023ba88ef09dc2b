import { wwidPrefix } from "../../../components/plan/machines/machine.ts";
import { type Problem, show } from "../../../errors/problem.ts";
import type { NodeHardware, Stack } from "../../../stacks/index.ts";
import type { Config } from "../schema.ts";
import { clusterInitProblems } from "./cluster-init.ts";
import { missingSecret } from "./secrets.ts";

/**
 * What `kraft:machines` needs on Talos. Nothing is asked of a stack whose machine is set up by hand.
 *
 * @param known Problems of single keys.
 */
export function talosMachineProblems(stack: Stack, config: Partial<Config>, known: readonly Problem[]): Problem[] {
  const { machines, nodes = {} } = config;
  if (machines === undefined || stack.distribution !== "talos") {
    return [];
  }
  const { clusterInit, recoverFrom } = machines;
  return [
    ...(["user", "api", "sha256"] as const)
      .filter((key) => machines[key] !== undefined)
      .map((key) => ({
        key: `kraft:machines.${key}`,
        found: show(machines[key]),
        allowed: "only on k3s, whose nodes are reached over SSH",
        fix: "take the key out",
      })),
    ...clusterInitProblems(config),
    ...(clusterInit && recoverFrom !== undefined
      ? [
          {
            key: "kraft:machines.recoverFrom",
            found: `${show(recoverFrom)}, although kraft:machines.clusterInit asks for a new cluster`,
            allowed: "one of the two: an empty cluster, or the one in the snapshot",
            fix: "take out the one that you do not mean",
          },
        ]
      : []),
    ...stack.nodes.flatMap((node) => {
      const declared = nodes[node.name];
      return declared === undefined ? [] : driveProblems(node, declared.drives);
    }),
    ...missingSecret(
      "talosSecrets",
      config,
      known,
      "a secret, with kraft:machines on Talos",
      "talosctl gen secrets -o - | pulumi config set --secret kraft:talosSecrets",
    ),
    ...missingSecret(
      "diskPassphrase",
      config,
      known,
      "a secret, with kraft:machines on Talos",
      "openssl rand -hex 32 | pulumi config set --secret kraft:diskPassphrase",
    ),
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
  const foreign = (["system", "longhorn"] as const)
    .filter((drive) => !drives[drive].startsWith(prefix))
    .map((drive) => ({
      key: `${key}.${drive}`,
      found: show(drives[drive]),
      allowed: `a logical drive of the Smart Array, whose WWID begins with ${prefix}`,
      fix,
    }));
  const same =
    drives.system === drives.longhorn
      ? [
          {
            key: `${key}.longhorn`,
            found: `${show(drives.longhorn)}, the system's drive as well`,
            allowed: "a drive of its own: what is on the system's is overwritten when Talos is installed",
            fix: "make two logical drives, see docs/machines-proliant.md",
          },
        ]
      : [];
  return [...foreign, ...same];
}
