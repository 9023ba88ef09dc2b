import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { k3kPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity, podSecurityLabels, restrictedContexts } from "./plan/pod-security.ts";

/** What a K3k is made of. */
export interface K3kArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  readonly network: HostNetwork;
  /** Whether this version of the chart can set the controller's security context. */
  readonly securityContexts: boolean;
}

/** The K3k controller, which runs the tenants' guest clusters. Its CRDs outlive the chart, and with them the guests. */
export class K3k extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;

  constructor(name: string, args: K3kArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:K3k", name, {}, opts);
    const namespace = platformNamespaces.k3k;
    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: podSecurityLabels(podSecurity.k3k[args.securityContexts ? "restricted" : "unrestricted"]),
        },
      },
      { parent: this },
    );
    new NetworkBoundary(
      `${name}-network`,
      { namespace, policies: k3kPolicies(args.network) },
      { parent: this, dependsOn: [this.namespace] },
    );
    const tag = `v${args.chart.version}`;
    this.chart = new kubernetes.helm.v4.Chart(
      name,
      {
        ...chartReference(args.chart, args.charts),
        name: "k3k",
        namespace,
        values: {
          host: { clusterCIDR: args.network.podCidr },
          // One: the controller elects no leader.
          controller: {
            replicas: 1,
            image: { tag },
            resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
            ...(args.securityContexts
              ? { podSecurityContext: restrictedContexts.pod, securityContext: restrictedContexts.container }
              : {}),
          },
          agent: { shared: { image: { tag } } },
        },
      },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.registerOutputs({ version: args.chart.version });
  }
}
