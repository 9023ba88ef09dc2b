import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { declarePolicy } from "./admission-policy.ts";
import { declareNamespace } from "./install-chart.ts";
import { containerContext, type Image, resources } from "./monitoring-program.ts";
import { NetworkBoundary } from "./network-boundary.ts";
import { reportPolicy } from "./plan/admission/reports.ts";
import { monitoringNamespace, reporter } from "./plan/monitoring/parts.ts";
import { reporterSize } from "./plan/monitoring/sizes.ts";
import { useUrl } from "./plan/monitoring/tenant-use.ts";
import { tenantLabel, tenantNames } from "./plan/names.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { prometheusFromReporter, reporterPolicies } from "./plan/network/monitoring-policies.ts";
import { podSecurity, restrictedContexts } from "./plan/pod-security.ts";
import { useMinutes } from "./plan/tenant-terms.ts";

export interface TenantReportsArgs {
  /** An image whose entrypoint is kubectl. */
  readonly image: Image;
  /** The tenants that are told, and what declares the namespace and the addons of each. */
  readonly tenants: readonly { readonly tenant: string; readonly declared: pulumi.Resource }[];
  readonly network: HostNetwork;
  /** The namespace that Prometheus is in: the policy by which the reporter asks it goes with that. */
  readonly monitoring: pulumi.Resource;
}

/** How long one run may take, in seconds: Prometheus answers within two minutes or not at all (its `query.timeout`). */
const longestRun = 180;

/**
 * Tells each tenant in the guest what it uses: kubectl takes what Prometheus writes and puts it into the addons of each guest,
 * where K3s applies it. Nothing of the guest's opens to it, and of the host one key of one Secret for each tenant.
 *
 * @example
 * new TenantReports("reports", {
 *   image: { image: "registry.k8s.io/kubectl", tag: "v1.35.4" },
 *   tenants: [{ tenant: "acme", declared: acme }],
 *   network,
 *   monitoring: monitoring.namespace,
 * });
 */
export class TenantReports extends pulumi.ComponentResource {
  constructor(name: string, args: TenantReportsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:TenantReports", name, {}, opts);
    const namespace = declareNamespace(this, name, {
      namespace: reporter.namespace,
      security: podSecurity.reports,
      policies: reporterPolicies(args.network),
      policiesGoWithIt: true,
    });
    new NetworkBoundary(
      `${name}-prometheus`,
      { namespace: monitoringNamespace, policies: [prometheusFromReporter], deletedWith: args.monitoring },
      { parent: this, dependsOn: [args.monitoring] },
    );
    const policy = declarePolicy(`${name}-policy`, reportPolicy, { parent: this });
    const childOptions: pulumi.CustomResourceOptions = { parent: this, dependsOn: [namespace] };
    const account = new kubernetes.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata: { name: reporter.account, namespace: reporter.namespace }, automountServiceAccountToken: false },
      childOptions,
    );
    for (const { tenant, declared } of args.tenants) {
      const names = tenantNames(tenant);
      const metadata = {
        name: `kraft-${reporter.account}`,
        namespace: names.namespace,
        labels: { [tenantLabel]: tenant },
      };
      const role = new kubernetes.rbac.v1.Role(
        `${name}-role-${tenant}`,
        {
          metadata,
          rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [names.addonsSecret], verbs: ["patch"] }],
        },
        // Never a right without the policy that narrows it.
        { parent: this, dependsOn: [declared, policy] },
      );
      new kubernetes.rbac.v1.RoleBinding(
        `${name}-binding-${tenant}`,
        {
          metadata,
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
          subjects: [{ kind: "ServiceAccount", name: reporter.account, namespace: reporter.namespace }],
        },
        { parent: this, dependsOn: [role, account] },
      );
    }
    new kubernetes.batch.v1.CronJob(
      `${name}-job`,
      {
        metadata: { name: reporter.account, namespace: reporter.namespace },
        spec: {
          schedule: `*/${useMinutes} * * * *`,
          concurrencyPolicy: "Forbid",
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 1,
          jobTemplate: {
            spec: {
              // The next run is the next attempt.
              backoffLimit: 0,
              activeDeadlineSeconds: longestRun,
              template: {
                spec: {
                  serviceAccountName: reporter.account,
                  automountServiceAccountToken: true,
                  enableServiceLinks: false,
                  restartPolicy: "Never",
                  securityContext: restrictedContexts.pod,
                  containers: [
                    {
                      name: "kubectl",
                      image: `${args.image.image}:${args.image.tag}`,
                      args: [
                        "apply",
                        "--server-side",
                        "--field-manager=kraft-report",
                        // The API server checks what it gets, and this needs no description of its whole API.
                        "--validate=false",
                        `--filename=${useUrl}`,
                      ],
                      resources: resources(reporterSize),
                      securityContext: containerContext(),
                    },
                  ],
                },
              },
            },
          },
        },
      },
      { ...childOptions, dependsOn: [namespace, account] },
    );
    this.registerOutputs({ namespace: reporter.namespace });
  }
}
