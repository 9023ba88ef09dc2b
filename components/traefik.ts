import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ChartArgs, installChart } from "./install-chart.ts";
import { platformNamespaces, traefikPolicies } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";
import { ingressClassName, type TraefikSettings, type TraefikValues, traefikValues } from "./plan/traefik-values.ts";

export interface TraefikArgs extends ChartArgs<TraefikValues>, Omit<TraefikSettings, "namespace"> {}

/**
 * Traefik on the host, in front of all tenants: the ingress class `traefik`.
 *
 * @example
 * const traefik = new Traefik("traefik", {
 *   chart: versions.traefik,
 *   charts: { source: "upstream" },
 *   imageTag: versions.traefik.image,
 *   exposure: "loadBalancer",
 *   entrypoint: "ingress.kraft.example",
 *   network,
 * });
 */
export class Traefik extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  /** Tenants depend on it. */
  readonly chart: kubernetes.helm.v4.Chart;
  /** The class that an Ingress names to be served. */
  readonly ingressClassName = ingressClassName;

  /** The chart's values before `changeValues`. */
  static values(args: TraefikArgs): TraefikValues {
    return traefikValues({ ...args, namespace: platformNamespaces.traefik });
  }

  constructor(name: string, args: TraefikArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Traefik", name, {}, opts);
    const { namespace, chart } = installChart(this, name, args, {
      name: "traefik",
      namespace: platformNamespaces.traefik,
      security: podSecurity.traefik[args.exposure],
      policies: traefikPolicies(args.network, args.publicPorts),
      values: Traefik.values(args),
    });
    this.namespace = namespace;
    this.chart = chart;
    this.registerOutputs({ namespace: namespace.metadata.name, ingressClassName, entrypoint: args.entrypoint });
  }
}
