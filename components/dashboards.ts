import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { declareNamespace } from "./install-chart.ts";
import { declareProgram, type Image, text } from "./monitoring-program.ts";
import { dashboardProvider, dataSources, folders, grafanaSettings } from "./plan/dashboards/grafana.ts";
import { pages } from "./plan/dashboards/pages.ts";
import { grafanaNamespace, ports, services } from "./plan/monitoring/parts.ts";
import { monitoringSizes } from "./plan/monitoring/sizes.ts";
import { grafanaPolicies } from "./plan/network/monitoring-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";

export interface DashboardsArgs {
  readonly image: Image;
  /** The hardware, for what is requested. */
  readonly nodes: readonly { readonly memoryGiB: number }[];
}

/**
 * Grafana, with dashboards of what the monitoring's Prometheus keeps. It asks Prometheus and nobody else, and is reached by
 * `kubectl port-forward` only. Nothing of it is data: it is made anew with its pod, and it can be taken away again.
 *
 * @example
 * new Dashboards("dashboards", { image: grafanaImage, nodes: stack.nodes }, { dependsOn: [monitoring] });
 */
export class Dashboards extends pulumi.ComponentResource {
  constructor(name: string, args: DashboardsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Dashboards", name, {}, opts);
    const namespace = declareNamespace(this, name, {
      namespace: grafanaNamespace,
      security: podSecurity.grafana,
      policies: grafanaPolicies,
      policiesGoWithIt: true,
    });
    const childOptions: pulumi.CustomResourceOptions = { parent: this, dependsOn: [namespace] };
    const fileOf = (uid: string | undefined): string => `${uid ?? ""}.json`;
    const settings = {
      "grafana.ini": grafanaSettings(fileOf(pages[0].uid)),
      "data-sources.yaml": text(dataSources),
      "dashboards.yaml": text(dashboardProvider),
    };
    const settingsFiles = new kubernetes.core.v1.ConfigMap(
      `${name}-settings`,
      { metadata: { name: services.grafana, namespace: grafanaNamespace }, data: settings },
      childOptions,
    );
    // Grafana reads them again when they change.
    const pageFiles = new kubernetes.core.v1.ConfigMap(
      `${name}-pages`,
      {
        metadata: { name: `${services.grafana}-pages`, namespace: grafanaNamespace },
        data: Object.fromEntries(pages.map((page) => [fileOf(page.uid), text(page)])),
      },
      childOptions,
    );
    declareProgram(
      `${name}-grafana`,
      {
        namespace: grafanaNamespace,
        name: services.grafana,
        image: args.image,
        size: monitoringSizes(args.nodes).grafana,
        port: ports.grafana,
        arguments: [],
        readiness: "/api/health",
        folders: {
          [folders.settings]: {
            configMap: {
              name: services.grafana,
              items: [
                { key: "grafana.ini", path: "grafana.ini" },
                { key: "data-sources.yaml", path: "provisioning/datasources/prometheus.yaml" },
                { key: "dashboards.yaml", path: "provisioning/dashboards/kraft.yaml" },
              ],
            },
          },
          [folders.pages]: { configMap: { name: `${services.grafana}-pages` } },
          [folders.data]: { emptyDir: { sizeLimit: "256Mi" } },
          "/tmp": { emptyDir: { sizeLimit: "64Mi" } },
        },
        config: Object.values(settings).join(""),
      },
      { ...childOptions, dependsOn: [namespace, settingsFiles, pageFiles] },
    );
    this.registerOutputs({ namespace: grafanaNamespace });
  }
}
