import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterNodes } from "./cluster-nodes.ts";
import type { HostTraits } from "./plan/machines/machine.ts";
import { recoveryKeyPatch, talosPatch, type TalosNodeSettings } from "./plan/machines/talos-config.ts";
import { installerImage, schematicId } from "./plan/machines/talos-image.ts";
import { patience, secretInput, talosScript, type TalosScriptEnvironment } from "./plan/machines/talos-script.ts";

/** What TalosNodes are made of. */
export interface TalosNodesArgs {
  /** Name of the cluster. It never changes. */
  readonly cluster: string;
  /** Where the kubeconfig is left on this machine, and the name of its context. */
  readonly kubeconfig: { readonly file: string; readonly context: string };
  /** The one machine of the cluster. */
  readonly node: Omit<TalosNodeSettings, "traits" | "talosVersion" | "network">;
  readonly traits: HostTraits;
  /** Version of Talos, without a `v`. */
  readonly talosVersion: string;
  /** Minor version of Talos that the cluster was created with, for example `1.13`. It never changes. */
  readonly bornWith: string;
  /** Version of Kubernetes, without a `v`. */
  readonly kubernetesVersion: string;
  readonly network: TalosNodeSettings["network"];
  /**
   * What a machine without a cluster becomes: nothing (`never`, the everyday), a new cluster, or the one whose etcd a
   * snapshot holds.
   */
  readonly init: "never" | "new" | { readonly recoverFrom: string };
  /** Beginning of the paths at which every upgrade leaves a snapshot of etcd on this machine. */
  readonly snapshots: string;
  /** Any text; when it changes, the machine is gone through again. */
  readonly again?: string;
  /** What `talosctl gen secrets` wrote. Whoever has it is the cluster's administrator. */
  readonly secrets: pulumi.Input<string>;
  /** Opens the disks where the machine that encrypted them is gone. */
  readonly recoveryPassphrase: pulumi.Input<string>;
}

/**
 * A machine on Talos, kept as declared by `talosctl` on the machine that Pulumi runs on: installed, configured, upgraded
 * one minor at a time. Destroying this resource touches nothing on it.
 *
 * A preview shows what changes in the machine configuration, and no secret: they reach the script by its standard input,
 * and are put together with the rest in a folder that only lives as long as it.
 */
export class TalosNodes extends pulumi.ComponentResource implements ClusterNodes {
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: TalosNodesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:TalosNodes", name, {}, opts);
    const { node, traits, talosVersion, network } = args;
    const settings = { ...node, traits, talosVersion, network };
    const environment: TalosScriptEnvironment = {
      NODE: node.name,
      ADDRESS: node.address,
      CLUSTER: args.cluster,
      TALOS_VERSION: talosVersion,
      BORN_WITH: args.bornWith,
      KUBERNETES_VERSION: args.kubernetesVersion,
      IMAGE: installerImage(node.machine, talosVersion),
      SCHEMATIC: schematicId(node.machine),
      SYSTEM_DRIVE: node.drives.system,
      LONGHORN_DRIVE: node.drives.longhorn,
      DRAINS: traits.drains ? "true" : "false",
      CLUSTER_INIT: typeof args.init === "string" ? args.init : "recover",
      RECOVER_FROM: typeof args.init === "string" ? "" : args.init.recoverFrom,
      KUBECONFIG_FILE: args.kubeconfig.file,
      CONTEXT: args.kubeconfig.context,
      SNAPSHOTS: args.snapshots,
      PATCH: talosPatch(settings),
    };
    const secrets = pulumi
      .all([pulumi.secret(args.secrets), pulumi.secret(args.recoveryPassphrase)])
      .apply(([bundle, passphrase]) => secretInput(bundle, recoveryKeyPatch(node, passphrase)));
    const provider = new command.Provider(`${name}-provider`, {}, { parent: this });
    const converge = new command.local.Command(
      `${name}-${node.name}`,
      {
        interpreter: ["/bin/bash", "--norc", "-c"],
        // The script itself is in the environment: a message of Pulumi's repeats the command, and should fit a screen.
        create: 'exec bash --norc -c "$SCRIPT"',
        environment: { ...environment, ...patience, SCRIPT: talosScript(), AGAIN: args.again ?? "" },
        stdin: secrets,
        // Nothing that a run prints is an input of the next one.
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        provider,
        additionalSecretOutputs: ["stdin"],
        // Out of the program the machine would run on unseen, with its data.
        protect: true,
        // An upgrade restarts a machine that counts its memory for minutes; a first installation downloads everything.
        customTimeouts: { create: "90m", update: "90m" },
      },
    );
    this.ready = [converge];
    this.registerOutputs({});
  }
}
