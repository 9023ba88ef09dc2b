import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";

/** What a K3k is made of. */
export interface K3kArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  /** The host's pod network, which K3k keeps tenants out of. */
  readonly podCidr: string;
}

/** The K3k controller, which runs the tenants' guest clusters. Its CRDs outlive the chart, and with them the guests. */
export class K3k extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;

  constructor(name: string, args: K3kArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:K3k", name, {}, opts);
    const namespace = "k3k-system";
    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "baseline" } } },
      { parent: this },
    );
    const tag = `v${args.chart.version}`;
    this.chart = new kubernetes.helm.v4.Chart(
      name,
      {
        ...chartReference(args.chart, args.charts),
        name: "k3k",
        namespace,
        values: {
          host: { clusterCIDR: args.podCidr },
          // One: the controller elects no leader.
          controller: {
            replicas: 1,
            image: { tag },
            resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
          },
          agent: { shared: { image: { tag } } },
        },
      },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.registerOutputs({ version: args.chart.version });
  }
}
