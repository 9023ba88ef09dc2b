import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { declareNamespace } from "./install-chart.ts";
import { declareAccount, type Rights } from "./monitoring-account.ts";
import { containerContext, declareProgram, type Image, resources, text } from "./monitoring-program.ts";
import { NetworkBoundary } from "./network-boundary.ts";
import { declareObjectExporter } from "./object-exporter.ts";
import {
  alertmanagerConfig,
  alertmanagerFolder,
  type AlertSecrets,
  type AlertTargets,
  secretFiles,
  targetPorts,
} from "./plan/monitoring/alertmanager.ts";
import type { ObjectProbe } from "./plan/monitoring/object-probes.ts";
import { monitoringNamespace, nodeExporterNamespace, ports, services } from "./plan/monitoring/parts.ts";
import { ruleFile } from "./plan/monitoring/rules.ts";
import { probeConfig, prometheusConfig, type WatchedTenant } from "./plan/monitoring/scrapes.ts";
import { monitoringSizes, type Size } from "./plan/monitoring/sizes.ts";
import { consoleFolder, useTemplate, useTemplateFile } from "./plan/monitoring/tenant-use.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import {
  longhornFiguresPolicy,
  monitoringPolicies,
  nameLabel,
  nodeExporterPolicies,
} from "./plan/network/monitoring-policies.ts";
import { platformNamespaces } from "./plan/network/platform-policies.ts";
import { podSecurity, restrictedContexts } from "./plan/pod-security.ts";

export interface MonitoringArgs {
  readonly images: Readonly<Record<"prometheus" | "alertmanager" | "nodes" | "probes", Image>>;
  /** Where alerts go. */
  readonly targets: AlertTargets;
  readonly secrets: AlertSecrets<pulumi.Input<string> | undefined>;
  /** Tenants whose guest is to answer. */
  readonly tenants: readonly WatchedTenant[];
  /** What the API server is asked about objects: walls, backups, drills. */
  readonly objects: readonly ObjectProbe[];
  /** The hardware: how much history is kept, and what is requested. */
  readonly nodes: readonly { readonly memoryGiB: number }[];
  readonly network: HostNetwork;
  /**
   * Whether Grafana may ask Prometheus.
   *
   * @default false
   */
  readonly dashboards?: boolean;
}

/** Everything of the node's file systems but what is mounted for pods: volumes of tenants have alerts of their own. */
const notOfNode = "^/(dev|etc|proc|run|sys|var/lib/(kubelet|rancher|containerd))($|/)";

const find = ["get", "list", "watch"];

/** Prometheus finds nodes, pods and Ingresses, and reads figures; nothing else. */
const prometheusRights: Rights = {
  everywhere: [
    { apiGroups: [""], resources: ["nodes"], verbs: find },
    { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: find },
    // The API server's own figures.
    { nonResourceURLs: ["/metrics"], verbs: ["get"] },
  ],
  within: Object.fromEntries(
    [nodeExporterNamespace, platformNamespaces.longhorn].map((namespace) => [
      namespace,
      [{ apiGroups: [""], resources: ["pods"], verbs: find }],
    ]),
  ),
};

/**
 * Prometheus and Alertmanager, and what they ask: an exporter on every node, the kubelets, Longhorn, and the blackbox exporter
 * twice: once for guests and sites by their names, once for objects. No tenant can reach any of it.
 *
 * Nothing of it is tenants' data: history is lost with the pod, and so is what Alertmanager has sent, which it then sends again.
 * It can be taken away again; one NetworkPolicy stays, in Longhorn's namespace.
 *
 * @example
 * new Monitoring("monitoring", {
 *   images: monitoringImages,
 *   targets: { ntfy: "https://ntfy.sh/kraft-5b1e0c8d7f" },
 *   secrets: { ntfyToken: undefined, emailPassword: undefined, webhookToken: undefined },
 *   tenants: [
 *     { tenant: "acme", namespace: "k3k-acme", apiHost: "acme.api.kraft.example", allowance: tenantAllowance("small") },
 *   ],
 *   objects: objectProbes(declaredWalls(model, staged, ingress)),
 *   nodes: stack.nodes,
 *   network,
 * });
 */
export class Monitoring extends pulumi.ComponentResource {
  /** All of it goes with this, but for what runs on every node. */
  readonly namespace: pulumi.Resource;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:Monitoring", name, {}, opts);
    const { images, targets, tenants, objects, network } = args;
    const sizes = monitoringSizes(args.nodes);
    const namespace = declareNamespace(this, name, {
      namespace: monitoringNamespace,
      security: podSecurity.monitoring,
      policies: monitoringPolicies(network, targetPorts(targets), args.dashboards),
      policiesGoWithIt: true,
    });
    this.namespace = namespace;
    const nodesNamespace = declareNamespace(this, `${name}-nodes`, {
      namespace: nodeExporterNamespace,
      security: podSecurity.nodeExporter,
      policies: nodeExporterPolicies,
      policiesGoWithIt: true,
    });
    new NetworkBoundary(
      `${name}-longhorn`,
      // It opens a way for Prometheus only, and leads nowhere once that is gone.
      { namespace: platformNamespaces.longhorn, policies: [longhornFiguresPolicy], retained: true },
      { parent: this },
    );
    const childOptions: pulumi.CustomResourceOptions = { parent: this, dependsOn: [namespace] };

    // Prometheus reads its files again when they change; the others are restarted.
    const prometheusFiles = new kubernetes.core.v1.ConfigMap(
      `${name}-prometheus-config`,
      {
        metadata: { name: services.prometheus, namespace: monitoringNamespace },
        data: {
          "prometheus.json": text(prometheusConfig({ tenants, objects, history: sizes.history })),
          "rules.json": text(ruleFile(tenants)),
          [useTemplateFile]: useTemplate(tenants),
        },
      },
      childOptions,
    );
    const { account, bindings } = declareAccount(`${name}-prometheus`, services.prometheus, prometheusRights, {
      ...childOptions,
      dependsOn: [namespace, nodesNamespace],
    });
    const { history } = sizes;
    declareProgram(
      `${name}-prometheus`,
      {
        namespace: monitoringNamespace,
        name: services.prometheus,
        image: images.prometheus,
        size: sizes.prometheus,
        port: ports.prometheus,
        account: account.metadata.name,
        arguments: [
          "--config.file=/etc/prometheus/prometheus.json",
          "--storage.tsdb.path=/prometheus",
          "--config.auto-reload",
          `--web.console.templates=${consoleFolder}`,
        ],
        readiness: "/-/ready",
        folders: {
          "/etc/prometheus": { configMap: { name: services.prometheus } },
          [consoleFolder]: {
            configMap: { name: services.prometheus, items: [{ key: useTemplateFile, path: useTemplateFile }] },
          },
          "/prometheus": { emptyDir: { sizeLimit: `${history.gibibytes}Gi` } },
        },
      },
      { ...childOptions, dependsOn: [namespace, prometheusFiles, ...bindings] },
    );

    const known = Object.fromEntries(Object.entries(args.secrets).map(([key, value]) => [key, value !== undefined]));
    const config = text(alertmanagerConfig(targets, known));
    const alertmanagerFiles = new kubernetes.core.v1.Secret(
      `${name}-alertmanager-config`,
      {
        metadata: { name: services.alertmanager, namespace: monitoringNamespace },
        stringData: {
          "alertmanager.json": config,
          ...Object.fromEntries(
            Object.entries(secretFiles).flatMap(([key, file]) => {
              const value = args.secrets[key as keyof typeof secretFiles];
              return value === undefined ? [] : [[file, value] as const];
            }),
          ),
        },
      },
      childOptions,
    );
    declareProgram(
      `${name}-alertmanager`,
      {
        namespace: monitoringNamespace,
        name: services.alertmanager,
        image: images.alertmanager,
        size: sizes.alertmanager,
        port: ports.alertmanager,
        arguments: [
          `--config.file=${alertmanagerFolder}/alertmanager.json`,
          "--storage.path=/alertmanager",
          // One is enough for one house.
          "--cluster.listen-address=",
          // `kraft alert --test` reads from its figures which messages were taken.
          "--enable-feature=receiver-name-in-metrics",
          `--web.external-url=http://${services.alertmanager}.${monitoringNamespace}.svc:${ports.alertmanager}`,
        ],
        readiness: "/-/ready",
        folders: {
          [alertmanagerFolder]: { secret: { secretName: services.alertmanager } },
          "/alertmanager": { emptyDir: { sizeLimit: "64Mi" } },
        },
        config,
      },
      { ...childOptions, dependsOn: [namespace, alertmanagerFiles] },
    );

    const probes = text(probeConfig());
    const probeFiles = new kubernetes.core.v1.ConfigMap(
      `${name}-probes-config`,
      { metadata: { name: services.probes, namespace: monitoringNamespace }, data: { "probes.json": probes } },
      childOptions,
    );
    declareProgram(
      `${name}-probes`,
      {
        namespace: monitoringNamespace,
        name: services.probes,
        image: images.probes,
        size: sizes.probes,
        port: ports.probes,
        arguments: ["--config.file=/etc/blackbox/probes.json"],
        readiness: "/-/healthy",
        folders: { "/etc/blackbox": { configMap: { name: services.probes } } },
        config: probes,
      },
      { ...childOptions, dependsOn: [namespace, probeFiles] },
    );

    const exporter = { image: images.probes, size: sizes.objects, objects };
    declareObjectExporter(`${name}-objects`, exporter, childOptions);
    this.#declareNodeExporter(`${name}-node-exporter`, images.nodes, sizes.nodes, nodesNamespace);
    this.registerOutputs({ namespace: monitoringNamespace });
  }

  #declareNodeExporter(logicalName: string, { image, tag }: Image, size: Size, namespace: pulumi.Resource): void {
    const labels = { [nameLabel]: services.nodes };
    const root = "/host";
    const collectors = ["cpu", "filesystem", "hwmon", "loadavg", "meminfo", "stat"];
    new kubernetes.apps.v1.DaemonSet(
      logicalName,
      {
        metadata: { name: services.nodes, namespace: nodeExporterNamespace },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: restrictedContexts.pod,
              // On every node, whatever is wrong with it.
              tolerations: [{ operator: "Exists" }],
              containers: [
                {
                  name: services.nodes,
                  image: `${image}:${tag}`,
                  args: [
                    `--path.rootfs=${root}`,
                    `--path.procfs=${root}/proc`,
                    `--path.sysfs=${root}/sys`,
                    "--collector.disable-defaults",
                    ...collectors.map((collector) => `--collector.${collector}`),
                    `--collector.filesystem.mount-points-exclude=${notOfNode}`,
                  ],
                  ports: [{ name: "http", containerPort: ports.nodes }],
                  resources: resources(size),
                  securityContext: containerContext(),
                  volumeMounts: [
                    { name: "root", mountPath: root, readOnly: true, mountPropagation: "HostToContainer" },
                  ],
                },
              ],
              volumes: [{ name: "root", hostPath: { path: "/" } }],
            },
          },
        },
      },
      { parent: this, dependsOn: [namespace] },
    );
  }
}
