import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ChartArgs, chartOptions, installChart } from "./install-chart.ts";
import { type K3kSettings, type K3kValues, k3kValues } from "./plan/k3k-values.ts";
import { tenantNames } from "./plan/names.ts";
import { k3kPolicies, platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";

export interface K3kArgs extends ChartArgs<K3kValues>, Pick<K3kSettings, "securityContexts"> {
  /**
   * Tenants whose guests' kubelets have K3k's rights on nodes and priority classes.
   *
   * K3k's controller adds each of them to two ClusterRoleBindings of its chart when a guest first answers
   * (`bindClusterRoles` in pkg/controller/cluster/cluster.go), and not again. Undeclared, they would be taken back as
   * something that was added by hand, and every kubelet would lose its node.
   */
  readonly guests: readonly string[];
}

/** ClusterRoleBindings of K3k's chart without subjects. */
const kubeletBindings: readonly string[] = ["k3k-kubelet-node", "k3k-priorityclass"];

/** Declares who is bound by the ClusterRoleBindings that K3k's chart leaves empty. */
function bindKubelets(guests: readonly string[]): pulumi.ResourceTransform {
  const subjects = guests.map((tenant) => {
    const { kubelet, namespace } = tenantNames(tenant);
    return { kind: "ServiceAccount", name: kubelet, namespace };
  });
  return ({ type, props, opts }) => {
    const { metadata } = props as { readonly metadata?: { readonly name?: string } };
    return subjects.length > 0 && type.endsWith(":ClusterRoleBinding") && kubeletBindings.includes(metadata?.name ?? "")
      ? { props: { ...props, subjects }, opts }
      : undefined;
  };
}

/**
 * The K3k controller, which runs the tenants' guest clusters. Its CRDs outlive the chart, and with them the guests.
 *
 * @example
 * const k3k = new K3k("k3k", { chart: k3kReleases[0], charts: { source: "upstream" }, network, securityContexts: true, guests: ["acme"] });
 */
export class K3k extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;
  /** Tenants depend on it. */
  readonly chart: kubernetes.helm.v4.Chart;

  /** The chart's values before `changeValues`. */
  static values({ chart: { version }, network: { podCidr }, securityContexts }: Omit<K3kArgs, "guests">): K3kValues {
    return k3kValues({ podCidr, version, securityContexts });
  }

  constructor(name: string, args: K3kArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:K3k", name, {}, chartOptions(opts, bindKubelets(args.guests)));
    const { namespace, chart } = installChart(this, name, args, {
      name: "k3k",
      namespace: platformNamespaces.k3k,
      security: podSecurity.k3k[args.securityContexts ? "restricted" : "unrestricted"],
      policies: k3kPolicies(args.network),
      values: K3k.values(args),
    });
    this.namespace = namespace;
    this.chart = chart;
    this.registerOutputs({ namespace: namespace.metadata.name, version: args.chart.version });
  }
}
