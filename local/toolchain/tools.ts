import { join } from "node:path";
import { kubectlImage, monitoringImages, versions } from "../../infra/versions.ts";

/** The folder with our Go modules, each in a folder of its own. */
export const toolSources = join(import.meta.dirname, "..", "tools");

/** How far an installed version may differ from ours. */
export type Match = "sameMinor" | "sameMajorNotOlder";

/** A program that Kraft runs beside its own code, and how to recognise and build it. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** The package whose `main` it is; relative to the module's folder where it starts with `./`. */
  readonly package: string;
  /** What `go build` calls the file, where that is not `name`: the last element of the package's path. */
  readonly output?: string;
  /**
   * How one that the machine already has is recognised: on PATH by the version it prints, or as an installed plugin of
   * Pulumi. Without it the tool is always our own build.
   */
  readonly installed?:
    | "plugin"
    | {
        readonly arguments: readonly string[];
        /** Finds the version in what the command prints. */
        readonly pattern: RegExp;
        readonly match: Match;
      };
}

/** Tools that one Go module in `local/tools/` pins and that are needed together, built by one `go build`. */
export interface ToolModule {
  readonly name:
    | "engine"
    | "cluster"
    | "nodes"
    | "volumes"
    | "home"
    | "kwok"
    | "cert-manager"
    | "kube-router"
    | "coredns"
    | "pebble"
    | "traefik"
    | "metallb"
    | "pods"
    | "images"
    | "registry"
    | "storage"
    | "workflows"
    | "talos"
    | "command"
    | "rules"
    | "monitoring"
    | "kubectl";
  /** The folder in `local/tools/` of the Go module, where another entry has it too. Default: `name`. */
  readonly folder?: string;
  readonly tools: readonly Tool[];
  readonly linkerFlags: readonly string[];
  /** Build constraints that are met beside those of the platform. Default: none. */
  readonly buildTags?: readonly string[];
  /** Files of a module that its packages need beside them and `go build` cannot find there: `into` is a folder of ours. */
  readonly files?: { readonly module: string; readonly from: readonly string[]; readonly into: string };
  /**
   * A module that lacks files which its own packages embed: it is taken from a copy beside ours, with these files in it, by
   * their paths there.
   */
  readonly completed?: { readonly module: string; readonly files: Readonly<Record<string, string>> };
  /** Wall time of a cold build on 2 cores (2.x GHz, x86), downloads included. Measured on 2026-11-23. */
  readonly minutes: number;
}

const kubernetesVersion = "1.35.4";
const kubernetesProviderVersion = "4.25.0";
const pulumiVersion = "3.215.0";
const versitygwVersion = "1.8.0";
const kubeRouterVersion = "2.1.0";
const pebbleVersion = "2.10.3";
const coreDnsVersion = "1.15.0";
// What runs in the platform's own images has the version that the platform installs.
const certManagerVersion = versions.certManager.version.slice(1);
const traefikVersion = versions.traefik.image.slice(1);
const metallbVersion = versions.metallb.version;
const alertmanagerVersion = monitoringImages.alertmanager.tag.slice(1);
const nodeExporterVersion = monitoringImages.nodes.tag.slice(1);
const blackboxExporterVersion = monitoringImages.probes.tag.slice(1);
const commandProviderVersion = "1.2.1";
const registryClientVersion = "0.22.1";
const registryVersion = "3.1.2";

/** Prometheus 3.16.0 is the Go module v0.316.0. */
const prometheusVersion = monitoringImages.prometheus.tag.replace(
  /^v(\d+)\.(\d+)\.(\d+)$/,
  (_, major: string, minor: string, patch: string) => `0.${major}${minor.padStart(2, "0")}.${patch}`,
);

/** kubectl 1.35.4 is the Go module v0.35.4. */
const kubectlVersion = kubectlImage.tag.replace(/^v1/, "0");

/** Of Prometheus' many ways to find what it is to ask, the only one that Kraft uses: the others are clouds. */
const prometheusTags: readonly string[] = ["remove_all_sd", "enable_kubernetes_sd"];

function kubernetes(name: string): Tool {
  return {
    name,
    version: kubernetesVersion,
    package: `k8s.io/kubernetes/cmd/${name}`,
    installed: { arguments: ["--version"], pattern: /Kubernetes v(\S+)/, match: "sameMinor" },
  };
}

const componentVersion = "k8s.io/component-base/version";

/** Of all programs that the module `cluster` pins. */
const clusterLinkerFlags: readonly string[] = [
  `-X ${componentVersion}.gitVersion=v${kubernetesVersion}`,
  `-X ${componentVersion}.gitMajor=1`,
  `-X ${componentVersion}.gitMinor=35`,
  `-X ${componentVersion}.gitTreeState=clean`,
  "-X github.com/rancher/k3k/pkg/buildinfo.Version=v1.1.0",
  "-X sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0",
];

/** The folder of the Go module that pins an entry's tools. */
export function sourceFolder({ name, folder }: Pick<ToolModule, "name" | "folder">): string {
  return join(toolSources, folder ?? name);
}

export const toolModules: readonly ToolModule[] = [
  {
    name: "engine",
    tools: [
      {
        name: "pulumi",
        version: pulumiVersion,
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        installed: { arguments: ["version"], pattern: /^v(\S+)/m, match: "sameMajorNotOlder" },
      },
      {
        name: "pulumi-resource-kubernetes",
        version: kubernetesProviderVersion,
        package: "./pulumi-resource-kubernetes",
        installed: "plugin",
      },
    ],
    linkerFlags: [
      `-X main.version=${kubernetesProviderVersion}`,
      // Without a version the Automation API refuses the CLI.
      `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`,
    ],
    files: {
      module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
      from: ["cmd/pulumi-resource-kubernetes/schema.json", "cmd/pulumi-resource-kubernetes/terraform-mapping.json"],
      into: "pulumi-resource-kubernetes",
    },
    minutes: 8,
  },
  {
    name: "cluster",
    tools: [
      kubernetes("kube-apiserver"),
      kubernetes("kube-controller-manager"),
      kubernetes("kube-scheduler"),
      {
        name: "etcd",
        version: "3.6.8",
        package: "go.etcd.io/etcd/server/v3",
        output: "server",
        installed: { arguments: ["--version"], pattern: /etcd Version: (\S+)/, match: "sameMinor" },
      },
      // Never taken from PATH: ours serves no metrics, whose port cannot be set and would be open to the network.
      { name: "k3k", version: "1.1.0", package: "github.com/rancher/k3k" },
      // Only tests run it: K3k's own needs the network of a pod.
      { name: "k3k-kubelet-stand-in", version: "1.1.0", package: "./k3k-kubelet-stand-in" },
    ],
    linkerFlags: clusterLinkerFlags,
    minutes: 5,
  },
  {
    name: "nodes",
    folder: "cluster",
    tools: [
      // Static, unlike most that a machine has: they run in the root file system of another.
      { name: "kubelet", version: kubernetesVersion, package: "k8s.io/kubernetes/cmd/kubelet" },
      { name: "kube-proxy", version: kubernetesVersion, package: "k8s.io/kubernetes/cmd/kube-proxy" },
      // In guests, as /bin/k3s of the image rancher/k3s. Its version is that of Kubernetes, which it is made of.
      { name: "k3s-stand-in", version: kubernetesVersion, package: "./k3s-stand-in" },
      // K3k's own, which runs in a pod.
      { name: "k3k-kubelet", version: "1.1.0", package: "github.com/rancher/k3k/k3k-kubelet" },
    ],
    linkerFlags: clusterLinkerFlags,
    minutes: 1,
  },
  {
    name: "home",
    tools: [{ name: "home", version: "1", package: ".", output: "home" }],
    linkerFlags: [],
    minutes: 0.1,
  },
  {
    name: "kwok",
    tools: [
      {
        name: "kwok",
        version: "0.8.0",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        installed: { arguments: ["--version"], pattern: /version v?(\S+)/, match: "sameMinor" },
      },
      {
        name: "cert-manager-admission",
        version: certManagerVersion,
        package: "github.com/cert-manager/cert-manager/cmd/admission",
        output: "admission",
      },
      // Only tests run it. Its version is that of Cyclonus, which it is made of.
      { name: "network-policy-analyser", version: "0.5.6", package: "./network-policy-analyser" },
    ],
    linkerFlags: [`-X main.version=v${certManagerVersion}`],
    minutes: 3,
  },
  {
    name: "cert-manager",
    // Mains of ours over cert-manager's own packages: see command/command.go. The module of `kwok`
    // has the same versions of everything that the two share, so that it is compiled once.
    tools: ["controller", "webhook", "cainjector", "acmesolver"].map((name) => ({
      name: `cert-manager-${name}`,
      version: certManagerVersion,
      package: `./${name}`,
    })),
    linkerFlags: [`-X github.com/cert-manager/cert-manager/pkg/util.AppVersion=v${certManagerVersion}`],
    minutes: 3,
  },
  {
    name: "pods",
    // Of our own, without dependencies: what holds a pod, and the website of a tenant.
    tools: ["pause", "sample-site"].map((name) => ({ name, version: "1", package: `./${name}` })),
    linkerFlags: [],
    minutes: 0.5,
  },
  {
    name: "images",
    // Takes published images, where they are asked for. Its version is that of the client library that it is made of.
    tools: [{ name: "upstream-images", version: registryClientVersion, package: ".", output: "images" }],
    linkerFlags: [],
    minutes: 0.3,
  },
  {
    name: "registry",
    // Only tests run it. Its version is that of the distribution project's registry, which it is made of.
    tools: [{ name: "registry", version: registryVersion, package: ".", output: "registry" }],
    linkerFlags: [],
    minutes: 1,
  },
  {
    name: "kube-router",
    tools: [
      // Only its firewall is used, which is also the engine inside k3s.
      {
        name: "kube-router",
        version: kubeRouterVersion,
        package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
      },
    ],
    linkerFlags: [`-X github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v${kubeRouterVersion}`],
    minutes: 2,
  },
  {
    name: "coredns",
    tools: [{ name: "coredns", version: coreDnsVersion, package: "./coredns" }],
    linkerFlags: [],
    minutes: 2,
  },
  {
    name: "pebble",
    tools: [{ name: "pebble", version: pebbleVersion, package: "github.com/letsencrypt/pebble/v2/cmd/pebble" }],
    linkerFlags: [`-X main.version=v${pebbleVersion}`],
    minutes: 0.5,
  },
  {
    name: "traefik",
    tools: [
      // That of the platform's image: infra/versions.ts.
      { name: "traefik", version: traefikVersion, package: "github.com/traefik/traefik/v3/cmd/traefik" },
    ],
    linkerFlags: [
      `-X github.com/traefik/traefik/v3/pkg/version.Version=${traefikVersion}`,
      "-X github.com/traefik/traefik/v3/pkg/version.Codename=built-by-kraft",
    ],
    // Without the two hundred DNS providers of its ACME client, of which some cannot be had: cert-manager is Kraft's.
    buildTags: ["lego_dnslight"],
    minutes: 4,
  },
  {
    name: "metallb",
    tools: [
      {
        name: "metallb-controller",
        version: metallbVersion,
        package: "go.universe.tf/metallb/controller",
        output: "controller",
      },
      {
        name: "metallb-speaker",
        version: metallbVersion,
        package: "go.universe.tf/metallb/speaker",
        output: "speaker",
      },
    ],
    linkerFlags: [],
    minutes: 2,
  },
  {
    name: "storage",
    tools: [
      // Never taken from PATH: what is stored must be readable by the version that stored it.
      { name: "versitygw", version: versitygwVersion, package: "github.com/versity/versitygw/cmd/versitygw" },
      // Its version is that of Longhorn's own library, which it is made of: that of Longhorn 1.10, the
      // newest that the module proxy gives out. That of 1.12 writes the same files.
      { name: "backup-store", version: "0.0.0-20250804022317-794abf817297", package: "./backup-store" },
    ],
    linkerFlags: [`-X main.Version=v${versitygwVersion}`],
    minutes: 2,
  },
  {
    name: "volumes",
    tools: [
      // In Longhorn's place. Its version is that of the kubelet that its node plugin registers with.
      { name: "volume-stand-in", version: kubernetesVersion, package: "./volume-stand-in" },
    ],
    linkerFlags: [],
    minutes: 0.5,
  },
  {
    name: "workflows",
    tools: [
      // Only tests run it.
      { name: "actionlint", version: "1.7.12", package: "github.com/rhysd/actionlint/cmd/actionlint" },
    ],
    linkerFlags: ["-X github.com/rhysd/actionlint.version=1.7.12"],
    minutes: 0.2,
  },
  {
    name: "talos",
    tools: [
      // Only tests run it. Its version is that of Talos, whose library it is made of.
      { name: "talos-config", version: "1.13.9", package: "./talos-config" },
    ],
    linkerFlags: [],
    minutes: 2.5,
  },
  {
    name: "command",
    tools: [
      // Only tests run it. The plugin itself if the machine has it, else our stand-in: see its main.go.
      {
        name: "pulumi-resource-command",
        version: commandProviderVersion,
        package: "./pulumi-resource-command",
        installed: "plugin",
      },
    ],
    linkerFlags: [`-X main.version=${commandProviderVersion}`],
    minutes: 2,
  },
  {
    name: "rules",
    folder: "monitoring",
    tools: [
      // Only tests run them.
      { name: "promtool", version: prometheusVersion, package: "github.com/prometheus/prometheus/cmd/promtool" },
      { name: "amtool", version: alertmanagerVersion, package: "github.com/prometheus/alertmanager/cmd/amtool" },
    ],
    linkerFlags: [],
    buildTags: prometheusTags,
    minutes: 2.5,
  },
  {
    name: "monitoring",
    tools: [
      { name: "prometheus", version: prometheusVersion, package: "github.com/prometheus/prometheus/cmd/prometheus" },
      { name: "alertmanager", version: alertmanagerVersion, package: "./alertmanager" },
      { name: "node_exporter", version: nodeExporterVersion, package: "github.com/prometheus/node_exporter" },
      {
        name: "blackbox_exporter",
        version: blackboxExporterVersion,
        package: "github.com/prometheus/blackbox_exporter",
      },
    ],
    linkerFlags: [],
    buildTags: prometheusTags,
    // Its web pages are made when it is released, and are not in the module.
    completed: {
      module: "github.com/prometheus/alertmanager",
      files: {
        "ui/app/dist/elm/index.html": "Built without web pages.\n",
        "ui/app/dist/mantine/index.html": "Built without web pages.\n",
      },
    },
    // After `rules`, with which it shares most.
    minutes: 1,
  },
  {
    name: "kubectl",
    // Kubernetes' own main is of a module that needs everything else of Kubernetes, too.
    tools: [{ name: "kubectl", version: kubectlVersion, package: ".", output: "kubectl" }],
    linkerFlags: [`-X ${componentVersion}.gitVersion=${kubectlImage.tag}`],
    minutes: 1.5,
  },
];

/**
 * No debug information: the programs are stripped anyway, and it is a fifth of the compiler's time. Switching off inlining
 * too (`-l`) would save another third, but the engine then takes 13 s for a run without changes instead of 9 s.
 */
export const goBuildFlags: readonly string[] = ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"];

/** The flags that an entry's tools are built with, apart from the linker's. */
export function moduleBuildFlags({ buildTags }: Pick<ToolModule, "buildTags">): readonly string[] {
  return [...goBuildFlags, ...(buildTags === undefined ? [] : [`-tags=${buildTags.join(",")}`])];
}

export const goEnvironment: Readonly<Record<string, string>> = {
  CGO_ENABLED: "0",
  // A user's own flags or workspace would build other programs under the same name.
  GOFLAGS: "",
  GOWORK: "off",
  // The compiler's own garbage collector: 15 % of the time for memory that a build machine has.
  GOGC: "400",
};
