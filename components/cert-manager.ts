import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { certManagerValues, issuerName, issuerSpec } from "./plan/cert-manager-values.ts";
import { chartReference, type ChartPin, type ChartSource } from "./plan/chart.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { certManagerPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity, podSecurityLabels } from "./plan/pod-security.ts";

/** What a CertManager is made of. */
export interface CertManagerArgs {
  readonly chart: ChartPin;
  readonly charts: ChartSource;
  /** Nodes of the host cluster. */
  readonly nodes: number;
  /** Ingress class through which HTTP-01 challenges are answered. */
  readonly ingressClassName: string;
  /** URL of the ACME directory. */
  readonly directory: string;
  /** Whether the home's router leads its own public address back inside. */
  readonly hairpin: boolean;
  /** Contact of the ACME account. */
  readonly email?: string;
  readonly network: HostNetwork;
}

/** cert-manager with the one ClusterIssuer that tenants name in their Ingresses. */
export class CertManager extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly chart: kubernetes.helm.v4.Chart;
  readonly issuerName = issuerName;

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:CertManager", name, {}, opts);
    const namespace = platformNamespaces.certManager;
    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: namespace, labels: podSecurityLabels(podSecurity.certManager) } },
      { parent: this },
    );
    new NetworkBoundary(
      `${name}-network`,
      { namespace, policies: certManagerPolicies(args.network) },
      { parent: this, dependsOn: [this.namespace] },
    );
    this.chart = new kubernetes.helm.v4.Chart(
      name,
      {
        ...chartReference(args.chart, args.charts),
        name: "cert-manager",
        namespace,
        values: certManagerValues({ namespace, nodes: args.nodes }),
      },
      { parent: this, dependsOn: [this.namespace] },
    );
    new kubernetes.apiextensions.CustomResource(
      `${name}-issuer`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { name: this.issuerName },
        spec: issuerSpec(this.issuerName, args.ingressClassName, args.directory, args.email, args.hairpin),
      },
      // The chart's webhook must answer before an issuer can be created.
      { parent: this, dependsOn: [this.chart] },
    );
    this.registerOutputs({ issuerName: this.issuerName });
  }
}
