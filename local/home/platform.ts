import { join } from "node:path";
import type { Cluster } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { suspendedAtAnnotation } from "../../components/plan/lifecycle.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { ports } from "../../infra/config/keys/ports.ts";
import { record } from "../../infra/config/pulumi-files.ts";
import type { Stack } from "../../stacks/index.ts";
import { eventually } from "../api.ts";
import { logFile } from "../control-plane.ts";
import { ensureProcess, type HostCluster } from "../host-cluster.ts";
import { assignAddresses } from "../load-balancer.ts";
import { whileSettling } from "../settling.ts";
import { toolPath } from "../toolchain/ready.ts";
import { controlPlaneNode, nodeAddress, router } from "./addresses.ts";
import { clusterDns } from "./cluster-dns.ts";
import { guestAccess } from "./guest-access.ts";
import { keepRoots, type PublicNames, visit, writeZone } from "./internet.ts";
import { volumePaths } from "./layout.ts";
import { type ForwardedPort, forwardPorts } from "./port-forwarding.ts";
import { comesBack } from "./restart.ts";
import { applySampleSite } from "./sample-site.ts";
import { volumePods } from "./volume-pods.ts";

/** How long a site takes at most until it has its certificate. */
const siteSeconds = 120;

/** A tenant's site that answers, and how it is reached from this machine. */
export interface SampleSite {
  readonly tenant: string;
  readonly host: string;
  readonly port: number;
  /** Path of the certificates to trust. */
  readonly root: string;
  /** The tenant's kubeconfig, for this machine. */
  readonly kubeconfig: string;
}

/** How long guests take at most until their API servers answer, beside everything else that starts, on two cores. */
const guestSeconds = 240;

/** How long pods have at most after the machines' start: one that a change by hand broke must not keep `up` from mending it. */
const restartSeconds = 120;

/** The names of a platform, as far as its stack file has them: one that is wrong is told of by the program. */
export function publicNames(config: Readonly<Record<string, unknown>>): PublicNames {
  const tenants = Object.entries(record(config["kraft:tenants"])).map(([name, entry]) => {
    const domains = record(entry)["domains"];
    return { name, domains: (Array.isArray(domains) ? domains : []).filter((domain) => typeof domain === "string") };
  });
  return { domain: String(config["kraft:domain"]), tenants };
}

/** The tenants' ports, as far as the stack file has them. */
export function publicPorts(config: Readonly<Record<string, unknown>>): readonly ForwardedPort[] {
  return Object.values(record(config["kraft:tenants"])).flatMap((entry) => {
    const found = ports.safeParse(record(entry)["ports"]);
    return found.success ? found.data : [];
  });
}

/** Where the router forwards to: the address that MetalLB keeps, if the stack file names one, else the first node's. */
export function forwardedTo(stack: Stack, config: Readonly<Record<string, unknown>>): string {
  const { entry } = record(config["kraft:network"]);
  return typeof entry === "string" ? entry : controlPlaneNode(stack).address;
}

/** What a real k3s brings along beside the node itself, on an embedded cluster with real machines. */
export class HomePlatform {
  readonly #cluster: HostCluster;
  readonly #names: PublicNames;
  readonly #ports: readonly ForwardedPort[];
  readonly #entry: string;

  /** @param config What the stack file of the run says, by key. */
  constructor(cluster: HostCluster, config: Readonly<Record<string, unknown>>) {
    this.#cluster = cluster;
    this.#names = publicNames(config);
    this.#ports = publicPorts(config);
    this.#entry = forwardedTo(cluster.stack, config);
  }

  /**
   * The cluster's DNS, the controllers of volumes, and what the world knows of the home. After a start of the machines it
   * waits for the platform's pods, because Pulumi takes a Deployment that is not ready yet for one that has changed.
   */
  async prepare(report: (text: string) => void): Promise<void> {
    const { api, directory, kubeconfig, stack, state, tools } = this.#cluster;
    await ensureProcess(
      state,
      {
        name: "longhorn-stand-in",
        executable: process.execPath,
        arguments: [
          join(import.meta.dirname, "..", "longhorn", "main.ts"),
          `--kubeconfig=${kubeconfig}`,
          `--disks-socket=${volumePaths(directory).socket}`,
          `--backup-store=${toolPath(tools, "backup-store")}`,
        ],
        logFile: logFile(directory, "longhorn-stand-in"),
      },
      [],
    );
    writeZone(directory, this.#names, Math.floor(Date.now() / 1000));
    forwardPorts(directory, this.#entry, this.#ports);
    for (const { path, object } of clusterDns(stack.network.clusterDns, [router.address])) {
      await api.apply(path, object);
    }
    await this.#platformRuns(report);
  }

  /** One look: addresses for Services that wait for one. */
  async settle(): Promise<void> {
    const { api, stack } = this.#cluster;
    await assignAddresses(
      api,
      stack.nodes.map(({ name }) => nodeAddress(stack, name)),
    );
  }

  /** Keeps settling while `action` runs. */
  during<Result>(action: () => Promise<Result>): Promise<Result> {
    return whileSettling(() => this.settle(), action);
  }

  /**
   * Waits until every guest that is to run is Ready, and its API server answers from outside of the home.
   *
   * @throws Failure with what each guest waits for, where one is not.
   */
  async complete(report: (text: string) => void): Promise<void> {
    const { path, object } = volumePods();
    await this.#cluster.api.apply(path, object);
    let waiting: readonly string[] = [];
    const ready = await eventually(async () => {
      waiting = await this.#waitingGuests();
      report(waiting.length === 0 ? "all guests are ready" : `waiting for guests: ${waiting.join("; ")}`);
      return waiting.length === 0;
    }, guestSeconds);
    if (!ready) {
      throw new Failure(
        `After ${guestSeconds} s not every guest is ready:\n${waiting.map((text) => `  ${text}`).join("\n")}\n` +
          `Look at their pods: kubectl --kubeconfig ${this.#cluster.kubeconfig} get pods -A`,
      );
    }
  }

  /**
   * Brings the sample site of a tenant to the web, and waits until it answers with a certificate of the internet's
   * authority. Without a guest of that tenant there is none: it may not be declared yet (`kraft:phase: restore`), or not run.
   *
   * @throws Failure with what the site answers instead.
   */
  async showSampleSite(report: (text: string) => void): Promise<SampleSite | undefined> {
    const [tenant] = this.#names.tenants;
    const [domain] = tenant?.domains ?? [];
    if (tenant === undefined || domain === undefined) {
      return undefined;
    }
    const { directory, state } = this.#cluster;
    if (!(await this.#runningGuests()).some(({ metadata }) => metadata.name === tenant.name)) {
      return undefined;
    }
    const { api, kubeconfig } = await guestAccess(this.#cluster, tenant.name, this.#names.domain);
    const host = `www.${domain}`;
    await applySampleSite(api, host);
    const root = keepRoots(directory);
    const port = state.ports?.websecure ?? 0;
    let answer = "";
    const answers = await eventually(async () => {
      answer = await visit(host, port, root);
      report(`waiting for https://${host}: ${answer}`);
      return answer === "200";
    }, siteSeconds);
    if (!answers) {
      throw new Failure(
        `https://${host} does not answer as it should after ${siteSeconds} s: ${answer}\n` +
          `Look at what it waits for: kubectl --kubeconfig ${this.#cluster.kubeconfig} get certificates,orders,challenges -A`,
      );
    }
    return { tenant: tenant.name, host, port, root, kubeconfig };
  }

  /** Waits until every pod of an earlier run's Deployments and DaemonSets runs, but those of guests. */
  async #platformRuns(report: (text: string) => void): Promise<void> {
    const { api, state } = this.#cluster;
    const started = state.processes["home"]?.startedAt;
    if (started === undefined) {
      return;
    }
    const remaining = (started - Date.now()) / 1000 + restartSeconds;
    await eventually(async () => {
      const [pods, guests] = await Promise.all([api.list(paths.pods.all), api.list(paths.clusters.all)]);
      const ofGuests = new Set(guests.map(({ metadata }) => metadata.namespace));
      const waiting = pods.filter((pod) => !ofGuests.has(pod.metadata.namespace) && comesBack(pod, started));
      report(`waiting for pods: ${waiting.map(({ metadata }) => metadata.name).join(", ")}`);
      return waiting.length === 0;
    }, remaining);
  }

  /** The guests that are to run. */
  async #runningGuests(): Promise<readonly Cluster[]> {
    const guests = await this.#cluster.api.list(paths.clusters.all);
    return guests.filter(({ metadata }) => metadata.annotations?.[suspendedAtAnnotation] === undefined);
  }

  /** What each guest that is to run, and does not answer, says of itself. */
  async #waitingGuests(): Promise<readonly string[]> {
    const { api } = this.#cluster;
    const active = await this.#runningGuests();
    const texts = await Promise.all(
      active.map(async ({ metadata: { name, namespace = "" }, status }) => {
        if (status?.phase !== "Ready") {
          const pods = await api.list(paths.pods.in(namespace));
          const server = pods.find(({ metadata }) => metadata.name === `${tenantNames(name).server}-0`);
          return `${name} is ${status?.phase ?? "not seen by K3k yet"}, its server ${server?.status?.phase ?? "has no pod"}`;
        }
        const guest = await guestAccess(this.#cluster, name, this.#names.domain);
        // After a power cut the phase is the one from before it.
        const answer = await guest.api.send("GET", "/readyz").then(({ status }) => `${status}`, messageOf);
        return answer === "200" ? undefined : `${name} answers ${answer}`;
      }),
    );
    return texts.filter((text) => text !== undefined);
  }
}
