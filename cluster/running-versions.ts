import { tenantLabel, tenantNames } from "../components/plan/names.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import type { Host } from "./client.ts";
import { formerImage, guestServerLabel, isImageMissing } from "./guest-server.ts";
import type { DaemonSet, Deployment } from "./objects.ts";
import { labelled, paths } from "./paths.ts";

/** What runs in a cluster, as it says itself. Undefined is what is not there yet, or says nothing. */
export interface RunningVersions {
  /** Of the API server. */
  readonly kubernetes: string | undefined;
  /** Of Talos, by node; empty where the nodes run something else. */
  readonly talos: Readonly<Record<string, string>>;
  readonly longhorn: string | undefined;
  readonly certManager: string | undefined;
  readonly traefik: string | undefined;
  readonly k3k: string | undefined;
  /** Of the K3s in each guest, by tenant. */
  readonly guests: Readonly<Record<string, GuestVersion>>;
}

/** A version of K3s that a guest is to run. */
export interface GuestVersion {
  /** What K3k was told. */
  readonly told: string;
  /**
   * What last wrote to the guest's datastore: another one only where no registry has the image of `told`, and undefined where the guest
   * has never run at all.
   */
  readonly ran: string | undefined;
}

/** A cluster with nothing in it. */
export const nothingRuns: RunningVersions = {
  kubernetes: undefined,
  talos: {},
  longhorn: undefined,
  certManager: undefined,
  traefik: undefined,
  k3k: undefined,
  guests: {},
};

/**
 * Asks a cluster what runs in it. What is not there, or whose version cannot be read, has none rather than a wrong one.
 */
export async function runningVersions(host: Pick<Host, "get" | "list">): Promise<RunningVersions> {
  const { traefik, certManager, k3k } = platformNamespaces;
  const [server, nodes, setting, certManagerRuns, traefikRuns, k3kRuns, clusters, namespaces, servers] =
    await Promise.all([
      host.get<{ readonly gitVersion?: string }>("/version"),
      host.list(paths.nodes.all),
      host.get(paths.settings.named("current-longhorn-version")),
      host.get(paths.deployments.named(certManager, "cert-manager")),
      host.get(paths.daemonSets.named(traefik, "traefik")),
      host.get(paths.deployments.named(k3k, "k3k")),
      host.list(paths.clusters.all),
      host.list(labelled(paths.namespaces.all, tenantLabel)),
      host.list(labelled(paths.pods.all, guestServerLabel)),
    ]);
  const tenants = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels?.[tenantLabel]]));
  const ran = async (tenant: string, told: string): Promise<string | undefined> => {
    const { namespace, server, kubeconfigSecret } = tenantNames(tenant);
    const pod = servers.find(({ metadata }) => metadata.namespace === namespace && metadata.name === `${server}-0`);
    // An image that no registry has never ran; one that cannot be fetched may have, on another node.
    if (!isImageMissing(pod)) {
      return told;
    }
    const former = imageVersion(await formerImage(host, tenant));
    if (former !== undefined) {
      return former;
    }
    // K3k makes it once the server has answered for the first time.
    const kubeconfig = await host.get(paths.secrets.named(namespace, kubeconfigSecret));
    return kubeconfig === undefined ? undefined : told;
  };
  const guests = await Promise.all(
    clusters.map(async ({ metadata, spec }) => {
      const tenant = tenants.get(metadata.namespace ?? "");
      const told = version(spec?.version);
      return tenant === undefined || told === undefined
        ? []
        : [[tenant, { told, ran: await ran(tenant, told) }] as const];
    }),
  );
  return {
    kubernetes: server?.gitVersion,
    talos: Object.fromEntries(
      nodes.flatMap(({ metadata, status }) => {
        const [, version] = /^Talos \(v(.+)\)$/.exec(status?.nodeInfo?.osImage ?? "") ?? [];
        return version === undefined ? [] : [[metadata.name, version]];
      }),
    ),
    longhorn: version(setting?.value),
    certManager: imageVersion(imageOf(certManagerRuns)),
    traefik: imageVersion(imageOf(traefikRuns)),
    k3k: imageVersion(imageOf(k3kRuns)),
    guests: Object.fromEntries(guests.flat()),
  };
}

/** A workload's first image: unlike its labels, it says what runs where the chart's own was replaced. */
function imageOf(workload: Deployment | DaemonSet | undefined): string | undefined {
  return workload?.spec?.template?.spec?.containers?.[0]?.image;
}

/** The tag of an image. */
function imageVersion(image = ""): string | undefined {
  return version(image.split("@")[0]?.split("/").at(-1)?.split(":")[1]);
}

function version(text: string | undefined): string | undefined {
  return text !== undefined && /^v?\d+\.\d+\.\d+/.test(text) ? text : undefined;
}
