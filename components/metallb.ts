import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import { type ChartArgs, installChart } from "./install-chart.ts";
import { entryPool, metallbClass, metallbNamespace, type MetalLbValues, metallbValues } from "./plan/metallb-values.ts";
import { single } from "./plan/network/address.ts";
import { metallbPolicies } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";

export interface MetalLbArgs extends ChartArgs<MetalLbValues> {
  /** The one address that it assigns: in the home network, no machine's, and outside the range that DHCP assigns. */
  readonly address: string;
}

/**
 * MetalLB: an address of the home network that one node answers for, and another node when that one fails. The router
 * forwards to it, and need not know which node it is.
 *
 * @example
 * const metallb = new MetalLb("metallb", {
 *   chart: versions.metallb,
 *   charts: { source: "upstream" },
 *   address: "192.168.1.250",
 *   network,
 * });
 */
export class MetalLb extends pulumi.ComponentResource {
  /** A Service that is to get the address depends on these. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: MetalLbArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:MetalLb", name, {}, opts);
    const { chart } = installChart(this, name, args, {
      name: "metallb",
      namespace: metallbNamespace,
      security: podSecurity.metallb,
      policies: metallbPolicies(args.network),
      values: metallbValues(),
    });
    const metadata = { name: entryPool, namespace: metallbNamespace };
    const pool = customResource(
      `${name}-pool`,
      "IPAddressPool",
      metadata,
      // Only for a Service that asks for this address, so that no other takes it from Traefik.
      { addresses: [single(args.address)], autoAssign: false },
      { parent: this, dependsOn: [chart] },
    );
    const advertisement = customResource(
      `${name}-advertisement`,
      "L2Advertisement",
      metadata,
      { ipAddressPools: [entryPool] },
      { parent: this, dependsOn: [pool] },
    );
    this.ready = [pool, advertisement];
    this.registerOutputs({ namespace: metallbNamespace, address: args.address, loadBalancerClass: metallbClass });
  }
}
