/**
 * What the Go program `home` (local/tools/home) is told: machines, cables, and what runs where. Field by field the types of
 * its plan.go.
 */
export interface HomePlan {
  /** What the home writes; machines see it under the same path. */
  readonly directory: string;
  /** The read-only root file system that every machine starts from. */
  readonly root: string;
  readonly cgroup: string;
  readonly networks: readonly string[];
  /** Folders whose mounts machines see as soon as a process of the home makes them. */
  readonly shared: readonly string[];
  readonly processes: readonly HomeProcess[];
  readonly machines: readonly MachinePlan[];
  readonly forwards: readonly Forwarding[];
}

export interface MachinePlan {
  readonly name: string;
  readonly links: readonly { readonly network: string; readonly device: string; readonly address: string }[];
  readonly mounts?: readonly { readonly source: string; readonly target: string; readonly readOnly?: boolean }[];
  readonly files?: readonly { readonly path: string; readonly text: string; readonly mode: number }[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Run in this order, each to its end, once the network is there. */
  readonly commands?: readonly (readonly string[])[];
  /** Kept running. */
  readonly processes?: readonly HomeProcess[];
}

export interface HomeProcess {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** An address in a machine's network that is reachable on the loopback address outside of the home. */
export interface Forwarding {
  readonly name: string;
  readonly listen: string;
  readonly machine: string;
  readonly to: string;
}
