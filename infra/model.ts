import type { ChartSource } from "../components/plan/chart.ts";
import type { HostNetwork } from "../components/plan/network/host-network.ts";
import type { QuotaOverride, Size } from "../components/plan/size.ts";
import type { Stack } from "../stacks/index.ts";
import type { K3kRelease } from "./versions.ts";

/** One tenant as the operator declared it. */
export interface Tenant {
  readonly name: string;
  readonly domains: readonly string[];
  readonly size: Size;
  readonly quota: QuotaOverride;
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
  readonly network: HostNetwork & { readonly clusterDns: string };
  readonly domain: string;
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
  readonly backup: { readonly bucket: string; readonly region: string; readonly prefix: string };
  /** Sorted by name, so that the order in the file changes nothing. */
  readonly tenants: readonly Tenant[];
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: {
    readonly wasabiAccessKeyId: string;
    readonly wasabiSecretAccessKey: string;
    readonly guestTokenSeed: string;
  };
}
