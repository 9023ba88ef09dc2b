import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ChartArgs, installChart } from "./install-chart.ts";
import { type K3kSettings, type K3kValues, k3kValues } from "./plan/k3k-values.ts";
import { k3kPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";

export interface K3kArgs extends ChartArgs<K3kValues>, Pick<K3kSettings, "securityContexts"> {}

/**
 * The K3k controller, which runs the tenants' guest clusters. Its CRDs outlive the chart, and with them the guests.
 *
 * @example
 * const k3k = new K3k("k3k", { chart: k3kReleases[0], charts: { source: "upstream" }, network, securityContexts: true });
 */
export class K3k extends pulumi.ComponentResource {
  /** Tenants depend on it. */
  readonly chart: kubernetes.helm.v4.Chart;

  /** The chart's values before `changeValues`. */
  static values({ chart: { version }, network: { podCidr }, securityContexts }: K3kArgs): K3kValues {
    return k3kValues({ podCidr, version, securityContexts });
  }

  constructor(name: string, args: K3kArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:K3k", name, {}, opts);
    const { namespace, chart } = installChart(this, name, args, {
      name: "k3k",
      namespace: platformNamespaces.k3k,
      security: podSecurity.k3k[args.securityContexts ? "restricted" : "unrestricted"],
      policies: k3kPolicies(args.network),
      values: K3k.values(args),
    });
    this.chart = chart;
    this.registerOutputs({ namespace: namespace.metadata.name, version: args.chart.version });
  }
}
