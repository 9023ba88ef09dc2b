import type { ChartPin } from "../components/plan/chart.ts";

/**
 * Every version of the platform, in the one place that Renovate moves.
 *
 * Traefik's image is newer than its chart: up to 3.7.12 the Service annotation `service.middlewares` ignores
 * `crossProviderNamespaces` (CVE-2026-85594). Longhorn is 1.12.1 and not 1.12.0: 1.12.0 prunes the newest system
 * backup, and its restores fail when an older backup is corrupt.
 */
export const versions = {
  traefik: { chart: "traefik", version: "41.3.0", repository: "https://traefik.github.io/charts", image: "v3.7.13" },
  certManager: { chart: "cert-manager", version: "v1.21.2", repository: "https://charts.jetstack.io" },
  metallb: { chart: "metallb", version: "0.15.3", repository: "https://metallb.github.io/metallb" },
  longhorn: { chart: "longhorn", version: "1.12.1", repository: "https://charts.longhorn.io" },
} as const satisfies Record<string, ChartPin & { image?: string }>;

/** The image that reads restored volumes: a shell, `find`, `cat` and nothing else. */
export const checker = { image: "docker.io/library/busybox", tag: "1.37.0" } as const;

/** The images of what watches the platform, by the component's name for each. */
export const monitoringImages = {
  prometheus: { image: "quay.io/prometheus/prometheus", tag: "v3.16.0" },
  alertmanager: { image: "quay.io/prometheus/alertmanager", tag: "v0.35.0" },
  nodes: { image: "quay.io/prometheus/node-exporter", tag: "v1.12.1" },
  probes: { image: "quay.io/prometheus/blackbox-exporter", tag: "v0.28.0" },
} as const;

/**
 * The image of what draws the dashboards. Grafana 12.4 has the longest support of those of 2026, and its Prometheus data source
 * is part of the program: in 13 that is a plugin, which Grafana replaces at its start by one from the internet, unless it is
 * told not to, and loses where its root file system is read-only (grafana/grafana-operator#2946).
 */
export const grafanaImage = { image: "docker.io/grafana/grafana", tag: "12.4.10" } as const;

/** Kubernetes' own image of kubectl, at most one minor version from every host cluster's. */
export const kubectlImage = { image: "registry.k8s.io/kubectl", tag: "v1.35.4" } as const;

/** One version of K3k that a stack may run, with what is known to be wrong with it. */
export interface K3kRelease extends ChartPin {
  /** Shown in every preview of a stack with more than one node. */
  readonly badWithSeveralNodes?: string;
  /** Shown in every preview. */
  readonly caution?: string;
  /** Whether its chart can set the controller's security context. */
  readonly securityContexts: boolean;
  /**
   * Whether a pod that mounts no token keeps the name of its service account, which the host does not have: such a pod never
   * starts. 1.2.0 removes the name always.
   */
  readonly keepsAccounts?: true;
}

const k3kRepository = "https://rancher.github.io/k3k";

/** The versions of K3k that Kraft knows, newest first. Their order of stability is K3k's own, not ours. */
export const k3kReleases: readonly K3kRelease[] = [
  {
    chart: "k3k",
    version: "1.2.0-rc4",
    repository: k3kRepository,
    caution: "a release candidate: move to 1.2.0 as soon as it is published",
    securityContexts: true,
  },
  {
    chart: "k3k",
    version: "1.1.0",
    repository: k3kRepository,
    securityContexts: false,
    keepsAccounts: true,
    badWithSeveralNodes:
      "a restart of one K3k kubelet deletes healthy pods of the other nodes (rancher/k3k#1021), and a server does not " +
      "come back after a power cut (rancher/k3k#844); both are fixed in 1.2.0",
  },
];
