import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { platformNamespaces, traefikPolicies } from "./plan/network/platform-policies.ts";
import { podSecurity, podSecurityLabels } from "./plan/pod-security.ts";
import { ingressClassName, traefikValues, type Exposure } from "./plan/traefik-values.ts";

/** What a Traefik is made of. */
export interface TraefikArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  /** Tag of Traefik's image, which may be newer than the chart's. */
  readonly imageTag: string;
  readonly exposure: Exposure;
  /** The address that MetalLB gives it, where it does. */
  readonly address?: string;
  /** Host name that tenants point a CNAME at. */
  readonly entrypoint: string;
  readonly network: HostNetwork;
}

/** Traefik on the host, in front of all tenants: the ingress class `traefik`. */
export class Traefik extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;
  readonly ingressClassName = ingressClassName;

  constructor(name: string, args: TraefikArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Traefik", name, {}, opts);
    const namespace = platformNamespaces.traefik;
    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: podSecurityLabels(podSecurity.traefik[args.exposure]),
        },
      },
      { parent: this },
    );
    new NetworkBoundary(
      `${name}-network`,
      { namespace, policies: traefikPolicies(args.network) },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.chart = new kubernetes.helm.v4.Chart(
      name,
      {
        ...chartReference(args.chart, args.charts),
        name: "traefik",
        namespace,
        values: traefikValues({
          namespace,
          exposure: args.exposure,
          entrypoint: args.entrypoint,
          imageTag: args.imageTag,
          ...(args.address === undefined ? {} : { address: args.address }),
        }),
      },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.registerOutputs({ ingressClassName });
  }
}
