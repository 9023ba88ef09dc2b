import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import { type ChartArgs, chartOptions, installChart } from "./install-chart.ts";
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

/** Seconds for the webhook to make its authority and the CA injector to publish it: image downloads on a slow line included. */
const authoritySeconds = 600;

/**
 * Makes the chart wait until the API server knows the authority of the webhook's certificate. The pods are Ready some
 * seconds earlier, and until then every issuer is refused ("certificate signed by unknown authority").
 */
const waitForAuthority: pulumi.ResourceTransform = ({ type, props, opts }) => {
  if (!type.endsWith(":ValidatingWebhookConfiguration")) {
    return undefined;
  }
  const { metadata, ...rest } = props as { readonly metadata: { readonly annotations?: object } };
  const annotations = {
    ...metadata.annotations,
    "pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}",
    "pulumi.com/timeoutSeconds": String(authoritySeconds),
  };
  return { props: { ...rest, metadata: { ...metadata, annotations } }, opts };
};

/**
 * cert-manager with the one ClusterIssuer that tenants name in their Ingresses.
 *
 * @example
 * const certManager = new CertManager("cert-manager", {
 *   chart: versions.certManager,
 *   charts: { source: "upstream" },
 *   nodes: 3,
 *   ingressClassName: traefik.ingressClassName,
 *   directory: "https://acme-staging-v02.api.letsencrypt.org/directory",
 *   network,
 * });
 */
export class CertManager extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  /** The tenants' boundary depends on it. */
  readonly chart: kubernetes.helm.v4.Chart;
  /** The ClusterIssuer that an Ingress names to get a certificate. */
  readonly issuerName = issuerName;

  /** The chart's values before `changeValues`. */
  static values({ nodes }: CertManagerArgs): CertManagerValues {
    return certManagerValues({ namespace: platformNamespaces.certManager, nodes });
  }

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:CertManager", name, {}, chartOptions(opts, waitForAuthority));
    const { namespace, chart } = installChart(this, name, args, {
      name: "cert-manager",
      namespace: platformNamespaces.certManager,
      security: podSecurity.certManager,
      policies: certManagerPolicies(args.network),
      values: CertManager.values(args),
    });
    this.namespace = namespace;
    this.chart = chart;
    customResource(`${name}-issuer`, "ClusterIssuer", { name: issuerName }, issuerSpec(args), {
      parent: this,
      // The API server must trust the chart's webhook, and the webhook answer, before an issuer can be created.
      dependsOn: [chart],
    });
    this.registerOutputs({ namespace: namespace.metadata.name, issuerName });
  }
}
