import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type K3sClusterPlan, nodeMinutes, nodeScript, runScript, runWithSecret } from "./plan/machines/node-script.ts";

export interface K3sNodesArgs {
  readonly plan: K3sClusterPlan;
  readonly scripts: {
    /** Texts of the node's script files, in order; the last one defines `main`. */
    readonly node: readonly string[];
    /** Text of the script that puts the token in place. */
    readonly token: string;
  };
  readonly ssh: {
    /** A user who is root, or becomes root with `sudo` and no password. */
    readonly user: string;
    /** @default 22 */
    readonly port?: number;
    readonly privateKey: pulumi.Input<string>;
    /** Each node's public host key by its name, as `ssh-ed25519 AAAA…`. */
    readonly hostKeys: Readonly<Record<string, string>>;
  };
  /** The token that servers join with, and that their snapshots are encrypted with. */
  readonly token: pulumi.Input<string>;
}

/**
 * Prepares machines and runs k3s on them over SSH, one after the other: a node is touched only when the one before is
 * healthy. Every command may run again at any time; none restarts the system, wipes or resets anything, and removing a
 * node from the program does nothing to it.
 *
 * @example
 * const machines = new K3sNodes("machines", {
 *   plan,
 *   scripts: nodeScripts(),
 *   ssh: { user: "kraft", privateKey, hostKeys: { "optiplex-1": "ssh-ed25519 AAAA…" } },
 *   token,
 * });
 */
export class K3sNodes extends pulumi.ComponentResource {
  /** Whatever needs the cluster depends on these. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: K3sNodesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:K3sNodes", name, {}, opts);
    const { plan, scripts, ssh } = args;
    const provider = new command.Provider(`${name}-provider`, {}, { parent: this });
    const commands: pulumi.Resource[] = [];
    for (const node of plan.nodes) {
      const hostKey = ssh.hostKeys[node.name];
      if (hostKey === undefined) {
        throw new Error(`there is no host key of ${node.name}: without it anybody could answer in its place`);
      }
      const connection = {
        host: node.address,
        port: ssh.port ?? 22,
        user: ssh.user,
        privateKey: ssh.privateKey,
        hostKey,
        // A node that is switched off is reported within a minute.
        dialErrorLimit: 3,
        perDialTimeout: 10,
      };
      const run = (
        role: string,
        inputs: { readonly create: string; readonly stdin: pulumi.Input<string> },
      ): command.remote.Command =>
        new command.remote.Command(
          `${name}-${node.name}${role}`,
          {
            connection,
            ...inputs,
            // For scripts that read their own last output; it would need AcceptEnv on every node.
            addPreviousOutputInEnv: false,
          },
          {
            parent: this,
            provider,
            // Removed from the program, a node would keep running with its data, unmanaged: docs/nodes.md.
            protect: true,
            dependsOn: [...commands],
            customTimeouts: { create: `${nodeMinutes}m`, update: `${nodeMinutes}m` },
          },
        );
      commands.push(
        run("-token", {
          create: runWithSecret(scripts.token),
          stdin: pulumi.secret(pulumi.output(args.token).apply((token) => `${token}\n`)),
        }),
      );
      commands.push(run("", { create: runScript, stdin: nodeScript(plan, node, scripts.node) }));
    }
    this.ready = commands;
    this.registerOutputs({ nodes: plan.nodes.map(({ name: node }) => node), version: plan.version });
  }
}
