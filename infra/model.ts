import type { ChartSource } from "../components/plan/chart.ts";
import type { HostNetwork } from "../components/plan/network/host-network.ts";
import type { QuotaOverride, Size } from "../components/plan/size.ts";
import type { Stack } from "../stacks/index.ts";
import type { Phase, StateName, TierName } from "./config/schema.ts";
import type { Machines } from "./nodes/k3s.ts";
import type { TalosMachines } from "./nodes/talos.ts";
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
  /** The day, as `2027-01-31`, on which the operator confirmed that everything of the tenant may go. */
  readonly purge?: string;
}

/** The line of the house, and what backups may take of it. */
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
export interface Backup {
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  /** URL of the S3 server. */
  readonly endpoint: string;
  /** Whether Kraft makes the bucket, its user and the key. */
  readonly managed: boolean;
  /** The target that backups went to before, as the operator confirmed it. */
  readonly replaces: string | undefined;
}

/** Where the backups of the stack lie that tenants move here from. */
export interface Source {
  readonly stack: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  /** URL of the S3 server. */
  readonly endpoint: string;
}

/** What an operator pays, in one currency. */
export interface Prices {
  /** Three letters (ISO 4217). */
  readonly currency: string;
  readonly perKilowattHour: number;
  readonly wasabiPerTerabyteMonth: number;
}

/** Everything the program does follows from this: one stack's hardware and its stack file, checked as a whole. */
export interface Model {
  readonly stack: Stack;
  readonly cluster: { readonly kubeconfig: string; readonly context: string; readonly uid: string };
  /** Undefined where the machines are set up by hand, or not on k3s. */
  readonly machines: Machines | undefined;
  /** Undefined where the machine is set up by hand, or is not on Talos. */
  readonly talos: TalosMachines | undefined;
  readonly network: HostNetwork & { readonly clusterDns: string };
  readonly domain: string;
  /** Its address in the home network, where MetalLB keeps one; undefined where the nodes' own are all there is. */
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
  /** Undefined where the operator did not describe it: backups are not weighed then. */
  readonly line: Line | undefined;
  /** Share of the tenants' volumes, counted in whole blocks, that is written anew in a day, 0 to 1. */
  readonly dailyChange: number;
  readonly prices: Prices | undefined;
  /** Days by name, each as `2027-01-31`. */
  readonly expiry: Readonly<Record<string, string>>;
  readonly phase: Phase;
  /** Volumes in the backups that are not to come back. */
  readonly leaveOut: readonly string[];
  /** Time zone in which schedules are shown; undefined for the machine's. */
  readonly timezone: string | undefined;
  readonly backup: Backup;
  /** Undefined where no tenant is on its way here. */
  readonly source: Source | undefined;
  /** Sorted by name, so that the order in the file changes nothing. */
  readonly tenants: readonly Tenant[];
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: {
    /** The key of the bucket's user; where Kraft makes the bucket that of the administrator. */
    readonly wasabi: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly guestTokenSeed: string;
    /** The key to the backups in `source`. */
    readonly source: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
    /** `guestTokenSeed` of the stack that tenants moved here from. */
    readonly sourceTokenSeed: string | undefined;
  };
}
