import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  installerImage,
  recoveryKeyPatch,
  schematicId,
  type TalosNodeSettings,
  talosPatch,
} from "./plan/machines/talos-config.ts";
import { secretInput, talosScript, waitingTimes } from "./plan/machines/talos-script.ts";

export interface TalosNodesArgs {
  /**
   * Name of the cluster. It never changes.
   *
   * @example "kraft-proliant"
   */
  readonly cluster: string;
  /** Where the script writes the kubeconfig on this machine, and the name of its context. */
  readonly kubeconfig: { readonly file: string; readonly context: string };
  /** The one machine of the cluster. */
  readonly node: TalosNodeSettings;
  /** Minor version of Talos that the cluster was created with, for example `1.13`. It never changes. */
  readonly initialTalosVersion: string;
  /** Version of Kubernetes, without a `v`. */
  readonly kubernetesVersion: string;
  /**
   * What a machine without a cluster becomes: nothing (`never`, as in everyday use), a new cluster, or the one in a
   * snapshot of etcd.
   */
  readonly init: "never" | "new" | { readonly recoverFrom: string };
  /** Beginning of the paths at which every upgrade leaves a snapshot of etcd on this machine. */
  readonly snapshots: string;
  /**
   * Any text; when it changes, the script runs again.
   *
   * @default none
   */
  readonly rerunToken?: string | undefined;
  /** Output of `talosctl gen secrets`. Whoever has it is the cluster's administrator. */
  readonly secrets: pulumi.Input<string>;
  /** Unlocks the disks where the machine that encrypted them is lost. */
  readonly recoveryPassphrase: pulumi.Input<string>;
}

/**
 * A machine on Talos: installed, configured, and upgraded one minor version at a time by `talosctl`, on the machine that
 * Pulumi runs on. Destroying this resource changes nothing on it.
 *
 * A preview shows what changes in the machine configuration, and no secret: those reach the script by its standard input,
 * which combines them with the rest in a temporary folder.
 *
 * @example
 * const machines = new TalosNodes("machines", {
 *   cluster: "kraft-proliant",
 *   kubeconfig: { file: "~/.kube/kraft-proliant.yaml", context: "kraft-proliant" },
 *   node: {
 *     name: "proliant-1",
 *     address: "192.168.1.11",
 *     machine,
 *     drives,
 *     longhornGiB: 3000,
 *     traits: hostTraits("talos", 1),
 *     talosVersion: "1.13.9",
 *     network: { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/12" },
 *   },
 *   initialTalosVersion: "1.13",
 *   kubernetesVersion: "1.35.6",
 *   init: "never",
 *   snapshots: "~/.kube/kraft-proliant-etcd",
 *   secrets,
 *   recoveryPassphrase,
 * });
 */
export class TalosNodes extends pulumi.ComponentResource {
  /** Whatever needs the cluster depends on these. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: TalosNodesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:TalosNodes", name, {}, opts);
    const { node } = args;
    const environment = {
      NODE: node.name,
      ADDRESS: node.address,
      CLUSTER: args.cluster,
      TALOS_VERSION: node.talosVersion,
      // What `talosctl gen config` generates by itself follows from it.
      BORN_WITH: args.initialTalosVersion,
      KUBERNETES_VERSION: args.kubernetesVersion,
      IMAGE: installerImage(node.machine, node.talosVersion),
      SCHEMATIC: schematicId(node.machine),
      SYSTEM_DRIVE: node.drives.system,
      LONGHORN_DRIVE: node.drives.longhorn,
      DRAINS: node.traits.drains ? "true" : "false",
      CLUSTER_INIT: typeof args.init === "string" ? args.init : "recover",
      RECOVER_FROM: typeof args.init === "string" ? "" : args.init.recoverFrom,
      KUBECONFIG_FILE: args.kubeconfig.file,
      CONTEXT: args.kubeconfig.context,
      SNAPSHOTS: args.snapshots,
      PATCH: talosPatch(node),
    };
    const secrets = pulumi
      .all([pulumi.secret(args.secrets), pulumi.secret(args.recoveryPassphrase)])
      .apply(([bundle, passphrase]) => secretInput(bundle, recoveryKeyPatch(node, passphrase)));
    const provider = new command.Provider(`${name}-provider`, {}, { parent: this });
    const converge = new command.local.Command(
      `${name}-${node.name}`,
      {
        interpreter: ["/bin/bash", "--norc", "-c"],
        // Pulumi's messages repeat the command, so the script itself is in the environment.
        create: 'exec bash --norc -c "$SCRIPT"',
        environment: { ...environment, ...waitingTimes, SCRIPT: talosScript(), AGAIN: args.rerunToken ?? "" },
        stdin: secrets,
        // The output of a run is no input of the next one.
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        provider,
        additionalSecretOutputs: ["stdin"],
        // Removed from the program, the machine would keep running with its data, unmanaged.
        protect: true,
        // An upgrade restarts a machine that checks its memory for minutes; a first installation downloads everything.
        customTimeouts: { create: "90m", update: "90m" },
      },
    );
    this.ready = [converge];
    this.registerOutputs({ nodes: [node.name], talosVersion: node.talosVersion });
  }
}
