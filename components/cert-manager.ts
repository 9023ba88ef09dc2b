import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import { type ChartArgs, installChart } from "./install-chart.ts";
import {
  type CertManagerValues,
  certManagerValues,
  issuerName,
  type IssuerSettings,
  issuerSpec,
} from "./plan/cert-manager-values.ts";
import { certManagerPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";

export interface CertManagerArgs extends ChartArgs<CertManagerValues>, IssuerSettings {
  /** Nodes of the host cluster: with more than one, controller and webhook run twice. */
  readonly nodes: number;
}

/**
 * cert-manager with the one ClusterIssuer that tenants name in their Ingresses.
 *
 * @example
 * const certManager = new CertManager("cert-manager", {
 *   chart: versions.certManager,
 *   charts: { source: "upstream" },
 *   nodes: 3,
 *   ingressClassName: "traefik",
 *   directory: "https://acme-staging-v02.api.letsencrypt.org/directory",
 *   network,
 * });
 */
export class CertManager extends pulumi.ComponentResource {
  /** The tenants' boundary depends on it. */
  readonly chart: kubernetes.helm.v4.Chart;

  /** The chart's values before `changeValues`. */
  static values({ nodes }: CertManagerArgs): CertManagerValues {
    return certManagerValues({ namespace: platformNamespaces.certManager, nodes });
  }

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:CertManager", name, {}, opts);
    const { namespace, chart } = installChart(this, name, args, {
      name: "cert-manager",
      namespace: platformNamespaces.certManager,
      security: podSecurity.certManager,
      policies: certManagerPolicies(args.network),
      values: CertManager.values(args),
    });
    this.chart = chart;
    customResource(`${name}-issuer`, "ClusterIssuer", { name: issuerName }, issuerSpec(args), {
      parent: this,
      // The chart's webhook must answer before an issuer can be created.
      dependsOn: [chart],
    });
    this.registerOutputs({ namespace: namespace.metadata.name, issuerName });
  }
}
