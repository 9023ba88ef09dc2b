import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";
import { entryPool, metallbNamespace, metallbValues } from "./plan/metallb-values.ts";
import { single } from "./plan/network/address.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { metallbPolicies } from "./plan/network/platform-policies.ts";
import { podSecurity, podSecurityLabels } from "./plan/pod-security.ts";

/** What a MetalLB is made of. */
export interface MetalLbArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  /** The one address that it gives away: of the home network, of no machine, and outside of what DHCP gives. */
  readonly address: string;
  readonly network: HostNetwork;
}

/**
 * MetalLB: an address of the home network that one of the nodes answers for, and another as soon as that one is gone. The
 * router forwards to it, and need not know which node it is.
 */
export class MetalLb extends pulumi.ComponentResource {
  /** What a Service waits for that is to get the address. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: MetalLbArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:MetalLb", name, {}, opts);
    const namespace = metallbNamespace;
    const home = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: namespace, labels: podSecurityLabels(podSecurity.metallb) } },
      { parent: this },
    );
    new NetworkBoundary(
      `${name}-network`,
      { namespace, policies: metallbPolicies(args.network) },
      { parent: this, dependsOn: [home] },
    );
    const chart = new kubernetes.helm.v4.Chart(
      name,
      { ...chartReference(args.chart, args.charts), name: "metallb", namespace, values: metallbValues() },
      { parent: this, dependsOn: [home] },
    );
    const pool = new kubernetes.apiextensions.CustomResource(
      `${name}-pool`,
      {
        apiVersion: "metallb.io/v1beta1",
        kind: "IPAddressPool",
        metadata: { name: entryPool, namespace },
        // Only for who asks for this address: a stray Service must not take it from Traefik.
        spec: { addresses: [single(args.address)], autoAssign: false },
      },
      { parent: this, dependsOn: [chart] },
    );
    const advertisement = new kubernetes.apiextensions.CustomResource(
      `${name}-advertisement`,
      {
        apiVersion: "metallb.io/v1beta1",
        kind: "L2Advertisement",
        metadata: { name: entryPool, namespace },
        spec: { ipAddressPools: [entryPool] },
      },
      { parent: this, dependsOn: [pool] },
    );
    this.ready = [pool, advertisement];
    this.registerOutputs({});
  }
}
