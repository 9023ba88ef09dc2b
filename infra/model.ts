import type { ChartSource } from "../components/plan/chart.ts";
import type { HostNetwork } from "../components/plan/network/host-network.ts";
import type { S3Key, S3Location } from "../components/plan/s3.ts";
import type { QuotaOverride, Size } from "../components/plan/size.ts";
import type { TierName } from "../components/plan/storage.ts";
import type { NodeHardware, Stack } from "../stacks/index.ts";
import type { Phase, StateName } from "./config/schema.ts";
import type { K3kRelease } from "./versions.ts";

/** One tenant as the operator declared it. */
export interface Tenant {
  readonly name: string;
  readonly domains: readonly string[];
  readonly size: Size;
  readonly quota: QuotaOverride;
  readonly tier: TierName;
  readonly state: StateName;
  /** The stack that the tenant moves here from, or once moved; its guest's token follows from that stack's seed. */
  readonly from?: string;
  /** The day, as `2027-01-31`, on which the operator confirmed that everything of the tenant may be deleted. */
  readonly purge?: string;
}

/** One machine of the host cluster: its hardware, and where it is. */
export interface ClusterNode extends NodeHardware {
  readonly address: string;
  /** Public SSH host key. Present where Kraft manages machines on k3s. */
  readonly hostKey?: string;
  /** WWIDs of its drives. Present where Kraft manages a machine on Talos. */
  readonly drives?: { readonly system: string; readonly longhorn: string };
}

/** Machines on k3s that Kraft manages. */
export interface K3sMachines {
  readonly distribution: "k3s";
  readonly user: string;
  /** Where the API server is reached from outside: a name, or the first node's address. */
  readonly api: string;
  readonly clusterInit: boolean;
  readonly sha256: { readonly amd64?: string; readonly arm64?: string };
  /** Any text; when it changes, every node's script runs again. */
  readonly rerunToken: string | undefined;
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: { readonly machineKey: string; readonly k3sToken: string };
}

/** A machine on Talos that Kraft manages. */
export interface TalosMachines {
  readonly distribution: "talos";
  /** What a machine without a cluster becomes. */
  readonly init: "never" | "new" | { readonly recoverFrom: string };
  /** Any text; when it changes, the machine's script runs again. */
  readonly rerunToken: string | undefined;
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: { readonly talosSecrets: string; readonly diskPassphrase: string };
}

/** The home's internet line, and how much of it backups may take. */
export interface Line {
  /** Megabits per second. */
  readonly uplinkMbps: number;
  /** Megabits per second. */
  readonly downlinkMbps: number;
  /** Share of the uplink that backups may take, 0 to 1. */
  readonly backupShare: number;
  /** Milliseconds to the bucket and back. */
  readonly roundTripMs: number;
}

/** Where backups go. */
export interface Backup extends S3Location {
  /** Whether Kraft makes the bucket, its user and the key. */
  readonly managed: boolean;
  /** The target that backups went to before, as the operator confirmed it. */
  readonly replaces: string | undefined;
}

/** The backups of the stack that tenants move here from. */
export interface Source extends S3Location {
  readonly stack: string;
}

/** What an operator pays, in one currency. */
export interface Prices {
  /** Three letters (ISO 4217). */
  readonly currency: string;
  readonly perKilowattHour: number;
  readonly wasabiPerTerabyteMonth: number;
}

/** One stack's hardware and its stack file, validated. Everything that the program declares follows from it. */
export interface Model {
  readonly stack: Stack;
  readonly cluster: { readonly kubeconfig: string; readonly context: string; readonly uid: string };
  readonly nodes: readonly ClusterNode[];
  /** Undefined where the machines are set up by hand. */
  readonly machines: K3sMachines | TalosMachines | undefined;
  readonly network: HostNetwork & { readonly clusterDns: string };
  readonly domain: string;
  /** Its address in the home network, which MetalLB announces; undefined where the nodes' own are all there is. */
  readonly entry: string | undefined;
  /** Whether the home's router leads its own public address back inside. */
  readonly hairpin: boolean;
  /** The name that tenants point a CNAME at. */
  readonly entrypoint: string;
  readonly issuer: { readonly directory: string; readonly email?: string };
  readonly charts: ChartSource;
  readonly k3k: K3kRelease;
  readonly replicas: number;
  /** How many times CPU and pods are promised to tenants. */
  readonly overcommit: number;
  /** Undefined where the operator did not describe it: backup times are not calculated then. */
  readonly line: Line | undefined;
  /** Share of the tenants' volumes that is rewritten in a day, counted in whole blocks, 0 to 1. */
  readonly dailyChange: number;
  readonly prices: Prices | undefined;
  /** Days by name, each as `2027-01-31`. */
  readonly expiry: Readonly<Record<string, string>>;
  readonly phase: Phase;
  /** Backed-up volumes that a rebuild does not wait for. */
  readonly leaveOut: readonly string[];
  /** Time zone in which schedules are shown; undefined for the machine's. */
  readonly timezone: string | undefined;
  readonly backup: Backup;
  /** Undefined where no tenant moves here. */
  readonly source: Source | undefined;
  /** Sorted by name, so that the order in the file changes nothing. */
  readonly tenants: readonly Tenant[];
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: {
    /** The key of the bucket's user; where Kraft makes the bucket, that of the administrator. */
    readonly wasabi: S3Key;
    readonly guestTokenSeed: string;
    /** The key to the backups in `source`. */
    readonly source: S3Key | undefined;
    /** `guestTokenSeed` of the stack that tenants moved here from. */
    readonly sourceTokenSeed: string | undefined;
  };
}

/** The part of a model that the load on the hardware and the line is calculated from. */
export type Load = Pick<Model, "stack" | "tenants" | "entry" | "replicas" | "overcommit" | "line" | "dailyChange">;
