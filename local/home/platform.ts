import { tenantNames } from "../../components/plan/names.ts";
import { paths } from "../../cluster/paths.ts";
import { Failure } from "../../errors/failure.ts";
import { eventually } from "../api.ts";
import type { HostCluster } from "../host-cluster.ts";
import { whileSettling } from "../settling.ts";
import { nodeAddress } from "./addresses.ts";
import { clusterDns } from "./cluster-dns.ts";
import { assignAddresses } from "../load-balancer.ts";

/** How long guests take at most until their API servers answer, beside everything else that starts, on two cores. */
const guestSeconds = 240;

/** What a real k3s brings along beside the node itself, on an embedded cluster with real machines. */
export class HomePlatform {
  readonly #cluster: HostCluster;

  constructor(cluster: HostCluster) {
    this.#cluster = cluster;
  }

  /** The cluster's DNS. */
  async prepare(resolvers: readonly string[]): Promise<void> {
    for (const { path, object } of clusterDns(this.#cluster.stack.network.clusterDns, resolvers)) {
      await this.#cluster.api.apply(path, object);
    }
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
   * Waits until every guest that is to run is Ready.
   *
   * @throws Failure with what each guest waits for, where one is not.
   */
  async untilGuestsAreReady(report: (text: string) => void): Promise<void> {
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

  /** What each guest that is not Ready says of itself. */
  async #waitingGuests(): Promise<readonly string[]> {
    const { api } = this.#cluster;
    const guests = await api.list(paths.clusters.all);
    const texts = await Promise.all(
      guests.map(async ({ metadata: { name, namespace = "" }, status }) => {
        if (status?.phase === "Ready") {
          return undefined;
        }
        const pods = await api.list(paths.pods.in(namespace));
        const server = pods.find(({ metadata }) => metadata.name === `${tenantNames(name).server}-0`);
        return `${name} is ${status?.phase ?? "not seen by K3k yet"}, its server ${server?.status?.phase ?? "has no pod"}`;
      }),
    );
    return texts.filter((text) => text !== undefined);
  }
}
