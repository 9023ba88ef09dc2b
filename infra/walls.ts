import { deletionPolicies } from "../components/plan/admission/deletions.ts";
import type { IngressSettings } from "../components/plan/admission/ingresses.ts";
import { hostMutations, hostPolicies } from "../components/plan/admission/policies.ts";
import { reportPolicy } from "../components/plan/admission/reports.ts";
import { drillNamespace } from "../components/plan/drill.ts";
import { isStopped } from "../components/plan/lifecycle.ts";
import { metallbNamespace } from "../components/plan/metallb-values.ts";
import { type AlertTargets, targetPorts } from "../components/plan/monitoring/alertmanager.ts";
import type { Boundary, Walls } from "../components/plan/monitoring/object-probes.ts";
import {
  grafanaNamespace,
  monitoringNamespace,
  nodeExporterNamespace,
  reporter,
} from "../components/plan/monitoring/parts.ts";
import { tenantNames } from "../components/plan/names.ts";
import {
  grafanaPolicies,
  longhornFiguresPolicy,
  monitoringPolicies,
  nodeExporterPolicies,
  prometheusFromReporter,
  reporterPolicies,
} from "../components/plan/network/monitoring-policies.ts";
import {
  certManagerPolicies,
  k3kPolicies,
  longhornPolicies,
  metallbPolicies,
  platformNamespaces,
  traefikPolicies,
} from "../components/plan/network/platform-policies.ts";
import { closed, denyEverything } from "../components/plan/network/policy.ts";
import { tenantPolicies } from "../components/plan/network/tenant-policies.ts";
import { publicPorts } from "./checks/public-ports.ts";
import type { Staged } from "./guards/stages.ts";
import type { Model } from "./model.ts";

/**
 * Every wall between tenants that the components of a platform with monitoring declare, for the monitoring to compare with
 * what is there. A tenant who is being removed has none left to compare.
 */
export function declaredWalls(
  model: Model & { readonly alerts: AlertTargets },
  staged: readonly Staged[],
  ingress: IngressSettings,
): Walls {
  const { network, alerts, entry, dashboards, tenants } = model;
  const platform: Boundary[] = [
    { namespace: platformNamespaces.traefik, policies: traefikPolicies(network, publicPorts(tenants)) },
    { namespace: platformNamespaces.certManager, policies: certManagerPolicies(network) },
    { namespace: platformNamespaces.longhorn, policies: [...longhornPolicies(network), longhornFiguresPolicy] },
    { namespace: platformNamespaces.k3k, policies: k3kPolicies(network) },
    ...(entry === undefined ? [] : [{ namespace: metallbNamespace, policies: metallbPolicies(network) }]),
    { namespace: drillNamespace, policies: [denyEverything] },
    {
      namespace: monitoringNamespace,
      policies: [...monitoringPolicies(network, targetPorts(alerts), dashboards !== undefined), prometheusFromReporter],
    },
    { namespace: nodeExporterNamespace, policies: nodeExporterPolicies },
    ...(dashboards === undefined ? [] : [{ namespace: grafanaNamespace, policies: grafanaPolicies }]),
    { namespace: reporter.namespace, policies: reporterPolicies(network) },
  ];
  const staying = staged.filter(({ stage }) => stage !== "removing");
  return {
    boundaries: [
      ...platform,
      ...staying.map(({ tenant: { name }, stage }) => {
        const policies = tenantPolicies(name, network);
        return {
          namespace: tenantNames(name).namespace,
          tenant: name,
          policies: isStopped(stage) ? policies.map(closed) : policies,
        };
      }),
    ],
    tenants: staying.map(({ tenant: { name, domains } }) => ({ name, domains })),
    admission: [...hostPolicies(ingress), ...deletionPolicies, reportPolicy],
    mutating: hostMutations,
  };
}
