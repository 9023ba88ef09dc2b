import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import { tenantLabel } from "../components/plan/names.ts";
import type { RunningVersions } from "../infra/checks/skew.ts";
import type { Host } from "./client.ts";

interface Labelled {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

interface Node extends Labelled {
  readonly status?: { readonly nodeInfo?: { readonly osImage?: string } };
}

interface Workload extends Labelled {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
}

interface Cluster extends Labelled {
  readonly spec?: { readonly version?: string };
  readonly status?: { readonly hostVersion?: string };
}

/**
 * Asks a cluster what runs in it. A part that is not there has no version; one whose version cannot be read has none
 * either, rather than a wrong one.
 */
export async function runningVersions(host: Pick<Host, "get" | "list">): Promise<RunningVersions> {
  const { traefik, certManager, longhorn, k3k } = platformNamespaces;
  const apps = (namespace: string, kind: string, name: string) =>
    host.get<Workload>(`/apis/apps/v1/namespaces/${namespace}/${kind}/${name}`);
  const [server, nodes, setting, certManagerRuns, traefikRuns, k3kRuns, clusters, namespaces] = await Promise.all([
    host.get<{ readonly gitVersion?: string }>("/version"),
    host.list<Node>("/api/v1/nodes"),
    host.get<{ readonly value?: string }>(
      `/apis/longhorn.io/v1beta2/namespaces/${longhorn}/settings/current-longhorn-version`,
    ),
    apps(certManager, "deployments", "cert-manager"),
    apps(traefik, "daemonsets", "traefik"),
    apps(k3k, "deployments", "k3k"),
    host.list<Cluster>("/apis/k3k.io/v1beta1/clusters"),
    host.list<Labelled>(`/api/v1/namespaces?labelSelector=${encodeURIComponent(tenantLabel)}`),
  ]);
  const tenants = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels?.[tenantLabel]]));
  return {
    kubernetes: server?.gitVersion,
    talos: Object.fromEntries(
      nodes.flatMap(({ metadata, status }) => {
        const [, version] = /^Talos \(v(.+)\)$/.exec(status?.nodeInfo?.osImage ?? "") ?? [];
        return version === undefined ? [] : [[metadata.name, version]];
      }),
    ),
    longhorn: version(setting?.value),
    certManager: imageVersion(certManagerRuns),
    traefik: imageVersion(traefikRuns),
    k3k: imageVersion(k3kRuns),
    guests: Object.fromEntries(
      clusters.flatMap(({ metadata, spec }) => {
        const tenant = tenants.get(metadata.namespace ?? "");
        const runs = version(spec?.version);
        return tenant === undefined || runs === undefined ? [] : [[tenant, runs]];
      }),
    ),
  };
}

/** The tag of a workload's first image: unlike its labels, it says what runs where the chart's own was replaced. */
function imageVersion(workload: Workload | undefined): string | undefined {
  const image = workload?.spec?.template?.spec?.containers?.[0]?.image ?? "";
  return version(image.split("@")[0]?.split("/").at(-1)?.split(":")[1]);
}

function version(text: string | undefined): string | undefined {
  return text !== undefined && /^v?\d+\.\d+\.\d+/.test(text) ? text : undefined;
}
