import type { ChartValuesHooks } from "../components/plan/chart-values.ts";
import type { Machine } from "../components/plan/machines/machine.ts";
import type { NetworkDriver } from "../components/plan/machines/system.ts";
import type { Exposure } from "../components/plan/traefik-values.ts";

/**
 * One machine of a host cluster, as Kubernetes will see it.
 *
 * `threads` is what the kubelet reports as CPU; `memoryGiB` is memory, as installed or as the kernel has it; `longhornGiB` is
 * the size of the file system that is mounted at the stack's `storage.dataPath`, not of the whole disk; `watts` is what the
 * machine draws from the socket, between idle and ordinary work; `networkDrivers` are those of its network cards that need help.
 */
export interface NodeHardware {
  readonly name: string;
  readonly model: string;
  readonly threads: number;
  readonly memoryGiB: number;
  readonly longhornGiB: number;
  /** Undefined where nobody asked for costs. */
  readonly watts?: number | undefined;
  /** What its operating system has to be told; undefined where nobody but the kernel needs to know. */
  readonly machine?: Machine | undefined;
  readonly networkDrivers?: readonly NetworkDriver[];
}

/**
 * The hardware and operating system of one stack and what follows from them. Nothing here is a preference: what an
 * operator may choose is set in `Pulumi.<stack>.yaml`.
 *
 * `nodes` in `stacks/` are those of the author's own machines. They hold as far as `kraft:nodes` declares no hardware
 * (`infra/config/described-stack.ts`).
 */
export interface Stack {
  readonly name: string;
  readonly description: string;
  readonly distribution: "k3s" | "talos" | "embedded";
  /** Version of Talos, where that is the distribution. To raise it is to upgrade, which restarts the machine. */
  readonly talosVersion?: string;
  /** Minor version of Talos that the cluster was created with, for example `1.13`. It never changes. */
  readonly initialTalosVersion?: string;
  /** Kubernetes version of the host cluster, without the distribution's suffix. */
  readonly kubernetesVersion: string;
  /** Image tag of the K3s that runs in each guest cluster. Set explicitly: on Talos K3k cannot derive it. */
  readonly guestVersion: string;
  /** A version in `infra/versions.ts`. */
  readonly k3kVersion: string;
  readonly nodes: readonly NodeHardware[];
  readonly network: {
    readonly podCidr: string;
    readonly serviceCidr: string;
    readonly clusterDns: string;
  };
  readonly exposure: Exposure;
  readonly storage: {
    /** Where Longhorn keeps replicas on each node. */
    readonly dataPath: string;
    /** True where the file system under `dataPath` is not shared with the operating system. */
    readonly dedicatedDisk: boolean;
  };
  /**
   * Changes Helm values of the platform's charts, as far as the tenant boundary and the tenants' data allow.
   *
   * @default Kraft's values as they are
   * @example
   * chartValues: {
   *   traefik: (values) => ({ ...values, nodeSelector: { "example.org/wired": "true" } }),
   *   "cert-manager": (values) => ({ ...values, maxConcurrentChallenges: 5 }),
   * },
   */
  readonly chartValues?: ChartValuesHooks;
}
