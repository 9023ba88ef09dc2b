import type { S3Key, S3Location } from "../components/plan/backup-store.ts";
import type { AlertSecrets } from "../components/plan/monitoring/alertmanager.ts";
import type { HostNetwork } from "../components/plan/network/host-network.ts";
import type { NodeHardware, Stack } from "../stacks/index.ts";
import type { Config, TenantConfig } from "./config/schema.ts";
import type { K3kRelease } from "./versions.ts";

/** One tenant as the operator declared it. Its guest's token follows from the seed of the stack in `from`. */
export type Tenant = { readonly name: string } & Readonly<TenantConfig>;

/** One machine of the host cluster: its hardware, and what else the stack file says of it. */
export type ClusterNode = NodeHardware & Readonly<Omit<Config["nodes"][string], "hardware">>;

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
export type Line = Readonly<Omit<NonNullable<Config["line"]>, "dailyChange">>;

export type Backup = S3Location & Readonly<Pick<Config["backup"], "managed" | "replaces">>;

/** The backups of the stack that tenants move here from. */
export interface Source extends S3Location {
  readonly stack: string;
}

/** Keys of the stack file that are in the model as they are; infra/config/keys describes them. */
type AsWritten =
  | "cluster"
  | "domain"
  | "contact"
  | "notice"
  | "alerts"
  | "dashboards"
  | "charts"
  | "prices"
  | "expiry"
  | "phase"
  | "leaveOut"
  | "timezone";

/** One stack's hardware and its stack file, validated. Everything that the program declares follows from it. */
export interface Model extends Readonly<Pick<Config, AsWritten>> {
  readonly stack: Stack;
  readonly nodes: readonly ClusterNode[];
  /** Undefined where the machines are set up by hand. */
  readonly machines: K3sMachines | TalosMachines | undefined;
  readonly network: HostNetwork & { readonly clusterDns: string };
  /** Its address in the home network, which MetalLB announces; undefined where only the nodes have addresses. */
  readonly entry: string | undefined;
  /** Whether the home's router supports NAT loopback. */
  readonly hairpin: boolean;
  /** The name that tenants point a CNAME at. */
  readonly entrypoint: string;
  readonly issuer: { readonly directory: string; readonly email?: string };
  readonly k3k: K3kRelease;
  readonly replicas: number;
  /** How many times CPU and pods are promised to tenants. */
  readonly overcommit: number;
  /** Undefined where the operator did not describe it: backup times are not calculated then. */
  readonly line: Line | undefined;
  /** Share of the tenants' volumes that is rewritten in a day, counted in whole blocks, 0 to 1. */
  readonly dailyChange: number;
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
    /** By which Alertmanager proves who it is. */
    readonly alerts: AlertSecrets<string | undefined>;
    /** The key to the backups in `source`. */
    readonly source: S3Key | undefined;
    /** `guestTokenSeed` of the stack that tenants moved here from. */
    readonly sourceTokenSeed: string | undefined;
  };
}

/** The part of a model that the load on the hardware and the line is calculated from. */
export type Load = Pick<
  Model,
  "stack" | "tenants" | "entry" | "alerts" | "dashboards" | "replicas" | "overcommit" | "line" | "dailyChange"
>;
