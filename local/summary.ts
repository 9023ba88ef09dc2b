import { condition } from "../cluster/objects.ts";
import { paths } from "../cluster/paths.ts";
import { mutatingPolicyApi } from "../components/plan/machines/api-server.ts";
import { platformOwner } from "../infra/drift/owner.ts";
import { table } from "../infra/table.ts";
import type { Api } from "./api.ts";
import type { ChartFile } from "./charts.ts";
import type { EngineRun } from "./engine-run.ts";
import type { SampleSite } from "./home/platform.ts";
import type { HostCluster } from "./host-cluster.ts";
import type { ImageSource } from "./images/source.ts";
import { isRunning } from "./processes.ts";
import { s3Endpoint } from "./s3.ts";
import type { Machines } from "./state.ts";

/** What a run did in one line: `nothing changed`, or `12 created, 1 updated`. */
export function changeLine(run: EngineRun): string {
  const names: Readonly<Record<string, string>> = {
    create: "created",
    update: "updated",
    replace: "replaced",
    delete: "deleted",
    "create-replacement": "created as replacements",
    "delete-replaced": "deleted after replacement",
  };
  const parts = Object.entries(names)
    .filter(([operation]) => (run.changes[operation] ?? 0) > 0)
    .map(([operation, name]) => `${run.changes[operation]} ${name}`);
  const same = run.changes["same"] ?? 0;
  const byHand = new Set(run.byHand.map(({ object }) => object)).size;
  const handText = byHand === 0 ? "" : ` Changed by hand, and put back: ${count(byHand, "object")}.`;
  if (parts.length > 0) {
    return `${parts.join(", ")}, ${same} unchanged.${handText}`;
  }
  if (run.looked === 0) {
    return `Nothing changed: all ${same} resources are as recorded. The cluster was not looked at.`;
  }
  return byHand === 0
    ? `Nothing changed: all ${same} resources are as declared, and so are the ${count(run.looked, "object")} read from the cluster.`
    : `Nothing of the program changed.${handText}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** What was changed by hand, tenants first, each with what it is and what is declared. */
function handLines({ byHand }: EngineRun): string[] {
  const owners = [...new Set(byHand.map(({ owner }) => owner))].sort(
    (a, b) => Number(a === platformOwner) - Number(b === platformOwner) || a.localeCompare(b),
  );
  return owners.flatMap((owner) => [
    `  ${owner}`,
    ...byHand.filter((change) => change.owner === owner).map(({ object, what }) => `    ${object}: ${what}`),
  ]);
}

async function nodeLines({ api, machines }: HostCluster): Promise<string[]> {
  const nodes = await api.list(paths.nodes.all);
  return table(
    nodes.map(({ metadata, status }) => [
      metadata.name,
      condition(status, "Ready")?.status === "True" ? "Ready" : "NotReady",
      `${status?.capacity?.["cpu"] ?? "?"} CPU`,
      status?.capacity?.["memory"] ?? "?",
      metadata.annotations?.["kraft.dev/model"] ?? "",
      machines === "real" ? "a machine in namespaces of this one" : "simulated",
    ]),
  );
}

async function componentLines(cluster: HostCluster, charts: readonly ChartFile[]): Promise<string[]> {
  const { api, machines, state } = cluster;
  const [deployments, daemonSets] = await Promise.all([
    api.list(paths.deployments.all),
    api.list(paths.daemonSets.all),
  ]);
  const workloads = [
    ...deployments.map(({ metadata, spec, status }) => ({
      labels: metadata.labels,
      ready: status?.readyReplicas ?? 0,
      wanted: spec?.replicas ?? 1,
    })),
    ...daemonSets.map(({ metadata, status }) => ({
      labels: metadata.labels,
      ready: status?.numberReady ?? 0,
      wanted: status?.desiredNumberScheduled ?? 0,
    })),
  ];
  /** By chart, the process that is real on simulated nodes, and what it does. */
  const real: Readonly<Record<string, readonly [process: string, what: string]>> = {
    k3k: ["k3k", "its controller is real"],
    "cert-manager": [
      "cert-manager-admission",
      "its webhook is real, its controllers are simulated: no certificate is issued",
    ],
  };
  return table(
    charts.map(({ chart, version, kind }) => {
      const own = workloads.filter(({ labels }) => isOfChart(labels, chart));
      const [name = "", what = ""] = real[chart] ?? [];
      const process = state.processes[name];
      const source = {
        real: "its real chart",
        given: "the chart you gave",
        standIn: standInText(chart, machines),
      }[kind];
      const note =
        process === undefined ? "" : isRunning(process) ? what : `its process is DOWN, see ${process.logFile}`;
      return [
        chart,
        version,
        own.map(({ ready, wanted }) => `${ready}/${wanted} ready`).join(", ") || "no pods",
        [source, note].filter((text) => text !== "").join("; "),
      ];
    }),
  );
}

/** What is in place of a chart that cannot be fetched. */
function standInText(chart: string, machines: Machines): string {
  if (machines === "simulated") {
    return "STAND-IN: real CRDs, nothing runs";
  }
  return chart === "traefik"
    ? "STAND-IN for its chart; its program is real"
    : "STAND-IN: real CRDs; volumes are files of this machine, one copy each";
}

/** Traefik's chart puts the namespace behind the release's name. */
function isOfChart(labels: Readonly<Record<string, string>> | undefined, chart: string): boolean {
  const instance = labels?.["app.kubernetes.io/instance"];
  return instance === chart || instance === `${chart}-${chart}`;
}

async function tenantLines(api: Api): Promise<string[]> {
  const clusters = await api.list(paths.clusters.all);
  if (clusters.length === 0) {
    return ["  none yet"];
  }
  const rows = await Promise.all(
    clusters.map(async (cluster) => {
      const { name, namespace = "" } = cluster.metadata;
      const quotas = await api.list(paths.quotas.in(namespace));
      const amounts = ["requests.cpu", "requests.memory", "requests.storage", "pods"].flatMap((resource) => {
        const quota = quotas.find((candidate) => candidate.status?.hard?.[resource] !== undefined);
        const label = resource.replace("requests.", "");
        return quota === undefined
          ? []
          : [`${label} ${quota.status?.used?.[resource] ?? "0"}/${quota.status?.hard?.[resource] ?? "?"}`];
      });
      return [
        name,
        `namespace ${namespace}`,
        `policy ${cluster.status?.policyName ?? "none"}`,
        cluster.status?.phase ?? "not seen by K3k yet",
        amounts.join(", ") || "no quota",
      ];
    }),
  );
  return table(rows.sort(([a = ""], [b = ""]) => a.localeCompare(b)));
}

/** The walls around tenants: how many of each kind are in force, and what is not. */
async function boundaryLines({ api, machines }: HostCluster): Promise<string[]> {
  const [validating, mutating, policies] = await Promise.all([
    api.list("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"),
    api.list(`/apis/${mutatingPolicyApi}/mutatingadmissionpolicybindings`),
    api.list("/apis/networking.k8s.io/v1/networkpolicies"),
  ]);
  const ours = [...validating, ...mutating].filter(({ metadata }) => metadata.name.startsWith("kraft-")).length;
  const namespaces = new Set(policies.map(({ metadata }) => metadata.namespace)).size;
  return table([
    [String(ours), "admission policies in force"],
    [
      String(policies.length),
      `network policies in ${namespaces} namespaces, ${
        machines === "real"
          ? "enforced by kube-router's firewall, as on k3s"
          : "ENFORCED BY NOBODY here: there is no pod network"
      }`,
    ],
  ]);
}

/** The S3 server in one line. Nothing on simulated nodes writes to it. */
function backupStoreText({ machines, state }: HostCluster): string {
  const process = state.processes["s3"];
  if (process === undefined || !isRunning(process)) {
    return `the S3 server for backups, which is DOWN, see ${process?.logFile ?? "above"}`;
  }
  const port = state.ports?.s3 ?? 0;
  const writer = machines === "real" ? "" : ": no Longhorn runs that would write any";
  return `an S3 server for backups, with versioning, at ${s3Endpoint(port)}${writer}`;
}

/**
 * @param store The S3 server, as {@link backupStoreText} says it.
 * @param images Where the images of real machines are from.
 */
export function realLines(machines: Machines, store: string, images: ImageSource = { kind: "built" }): string[] {
  const origin =
    images.kind === "built"
      ? "from their own code"
      : `from the images that their projects publish${images.registry === undefined ? "" : `, by ${images.registry}`}`;
  return machines === "real"
    ? [
        "  kubelets, containerd, kube-proxy and the firewall of kube-router on machines in namespaces, and every pod;",
        "  API server, etcd, controller manager and scheduler, on the first machine only; the Pulumi engine; Traefik,",
        `  cert-manager, CoreDNS and the K3k controller, ${origin}; an ACME server (Pebble) that validates`,
        `  through the router; ${store}`,
      ]
    : [
        "  API server, etcd, controller manager and scheduler; the Pulumi engine; the K3k controller; cert-manager's webhook;",
        `  ${store}`,
      ];
}

/** @param standIns Charts in whose place there is one of our own. */
export function simulatedLines(machines: Machines, standIns: readonly string[]): string[] {
  const withReal = "  With the real ones in a folder: npm run local -- --charts <folder>";
  if (machines === "real") {
    return [
      "  Longhorn: a STAND-IN of our own, whose volumes are one file each on this machine; backups are written by Longhorn's",
      "  own library. K3s in the guests: a STAND-IN of Kubernetes' own API server, controllers, scheduler and etcd.",
      "  k3s' load balancer: addresses are assigned while `npm run local` runs. Router, network storage and internet are",
      "  namespaces; nothing outside of them is ever called.",
      ...(standIns.length === 0 ? [] : [withReal]),
    ];
  }
  return [
    "  nodes and pods, by kwok: they are scheduled and run nothing, so a guest's own API never answers and its",
    "  Cluster stays Provisioning; load balancers have made-up addresses; no ACME server is ever called",
    ...(standIns.length === 0
      ? []
      : [
          `  ${standIns.join(" and ")}: STAND-INS of our own with the real CRDs, because their charts cannot be fetched here.`,
          withReal,
        ]),
  ];
}

/** How to see a tenant's site and to be the tenant, with commands that work as they stand. */
export function linesOfSite({ tenant, host, port, root, kubeconfig }: SampleSite): string[] {
  return [
    `  curl --cacert ${root} --resolve ${host}:${port}:127.0.0.1 https://${host}:${port}/   # the site of ${tenant}`,
    `  kubectl --kubeconfig ${kubeconfig} get pods,ingresses -A   # as tenant ${tenant}, through Traefik`,
    `  kubectl --kubeconfig ${kubeconfig} run shell -it --rm --restart=Never --image=busybox:1.37.0 -- sh`,
  ];
}

/** What a local run shows at its end. */
export async function summary(inputs: {
  readonly cluster: HostCluster;
  readonly charts: readonly ChartFile[];
  readonly overrides: readonly string[];
  readonly run: EngineRun;
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** A tenant's site that answers; undefined where nothing runs. */
  readonly site: SampleSite | undefined;
}): Promise<string[]> {
  const { cluster, charts, overrides, run, phases } = inputs;
  const siteLines = inputs.site === undefined ? [] : linesOfSite(inputs.site);
  const { api, stack } = cluster;
  const standIns = charts.filter(({ kind }) => kind === "standIn").map(({ chart }) => chart);
  const warnings = run.messages.filter(({ severity }) => severity === "warning");
  const stackOption = stack.name === "local" ? "" : ` -- --stack ${stack.name}`;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", title, ...lines];
  const [nodes, components, tenants, boundary] = await Promise.all([
    nodeLines(cluster),
    componentLines(cluster, charts),
    tenantLines(api),
    boundaryLines(cluster),
  ]);
  return [
    changeLine(run),
    ...section("Was changed by hand, and is put back", handLines(run)),
    ...section(`Host cluster ${stack.name}: ${stack.description}`, nodes),
    ...section("Platform", components),
    ...section("Tenants", tenants),
    ...section("Boundary", boundary),
    ...section(
      "Warnings",
      warnings.map(({ text }) => `  ${text}`),
    ),
    ...section(
      "Different from what the stack declares",
      overrides.map((text) => `  ${text}`),
    ),
    ...section("What is real here", realLines(cluster.machines, backupStoreText(cluster), cluster.state.images)),
    ...section("What is simulated", simulatedLines(cluster.machines, standIns)),
    ...section("Try next", [
      `  export KUBECONFIG=$(npm run --silent local:kubeconfig${stackOption})`,
      "  kubectl get clusters.k3k.io,resourcequotas -A",
      ...siteLines,
      `  add a tenant to Pulumi.${stack.name}.yaml and run: npm run local${stackOption}`,
      `  npm run local:down${stackOption}`,
    ]),
    "",
    `Time: ${phases.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(", ")}`,
  ];
}
