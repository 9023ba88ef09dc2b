import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Deployment, KubernetesObject } from "../cluster/objects.ts";
import { labelled, type Path, paths } from "../cluster/paths.ts";
import { tenantNames } from "../components/plan/names.ts";
import { containerRequest, millicpu } from "../components/plan/size.ts";
import { Failure } from "../errors/failure.ts";
import { eventually } from "./api.ts";
import { logFile } from "./control-plane.ts";
import { ensureProcess, type HostCluster } from "./host-cluster.ts";
import { assignAddresses } from "./load-balancer.ts";
import { isRunning, lastLines, type ProcessPlan, stopProcesses, waitUntilReady } from "./processes.ts";
import { asRoot } from "./root.ts";
import { whileSettling } from "./settling.ts";
import { simulatedRouter } from "./simulated-nodes.ts";
import { toolPath } from "./toolchain/ready.ts";

interface Service extends KubernetesObject {
  readonly spec: { readonly clusterIP?: string };
}

const services: Path<Service> = "/api/v1/services";

/** A process that stands for a workload's pods, and how to see that it does its work. */
interface Workload {
  readonly process: ProcessPlan;
  readonly ready: () => Promise<boolean>;
}

/** Whether something listens there. */
async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Arguments of a container with the one variable filled in that the charts use. */
function containerArguments({ metadata, spec }: Deployment): string[] {
  const container = spec?.template?.spec?.containers?.[0];
  return [...(container?.command ?? []), ...(container?.args ?? [])].map((argument) =>
    argument.replaceAll("$(POD_NAMESPACE)", metadata.namespace ?? ""),
  );
}

/** Whether this process may not listen on ports such as 443 without a capability. */
function needsCapability(): boolean {
  const firstUnprivilegedPort = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
  return process.getuid?.() !== 0 && firstUnprivilegedPort > 443;
}

/** cert-manager's webhook, on the address of its Service: the API server calls it for every issuer and certificate. */
async function certManager(cluster: HostCluster): Promise<Workload | undefined> {
  const labels = ["app.kubernetes.io/name=webhook", "app.kubernetes.io/component=webhook"];
  const [[deployment], [service]] = await Promise.all([
    cluster.api.list(labelled(paths.deployments.all, ...labels)),
    cluster.api.list(labelled(services, ...labels)),
  ]);
  const address = service?.spec.clusterIP ?? "";
  if (deployment === undefined || address === "") {
    return undefined;
  }
  return {
    process: {
      name: "cert-manager-admission",
      executable: toolPath(cluster.tools, "cert-manager-admission"),
      arguments: [...containerArguments(deployment), `--kubeconfig=${cluster.kubeconfig}`, `--listen=${address}:443`],
      logFile: logFile(cluster.directory, "cert-manager-admission"),
      environment: { KRAFT_API_SERVER: cluster.api.access.server },
    },
    ready: () => accepts(address, 443),
  };
}

/** The K3k controller, with exactly the arguments that its Deployment declares. */
async function k3k(cluster: HostCluster): Promise<Workload | undefined> {
  const [deployment] = await cluster.api.list(labelled(paths.deployments.all, "app.kubernetes.io/name=k3k"));
  // It gives up on kinds that the API server does not know yet.
  if (deployment === undefined || !(await servesK3k(cluster))) {
    return undefined;
  }
  const declared = containerArguments(deployment);
  const file = logFile(cluster.directory, "k3k");
  return {
    process: {
      name: "k3k",
      executable: toolPath(cluster.tools, "k3k"),
      arguments: [
        // The first is the program itself.
        ...declared.slice(declared[0] === "k3k" ? 1 : 0),
        `--kubeconfig=${cluster.kubeconfig}`,
        "--log-format=json",
      ],
      logFile: file,
      environment: {
        CONTROLLER_NAMESPACE: deployment.metadata.namespace ?? "",
        KRAFT_API_SERVER: cluster.api.access.server,
      },
    },
    // The last thing that controller-runtime says once a controller has seen everything there is.
    ready: () => Promise.resolve(readFileSync(file, "utf8").includes("Starting workers")),
  };
}

async function servesK3k(cluster: HostCluster): Promise<boolean> {
  const group = await cluster.api.get<{ readonly resources: readonly { readonly name: string }[] }>(
    "/apis/k3k.io/v1beta1",
  );
  const names = group?.resources.map((resource) => resource.name) ?? [];
  return names.includes("clusters") && names.includes("virtualclusterpolicies");
}

/**
 * Whether K3k has done for every guest cluster what it can do without its pods: the quota, the server, the kubelets; and
 * whether the quota has counted them.
 */
async function guestsAreDeclared(cluster: HostCluster): Promise<boolean> {
  const guests = await cluster.api.list(paths.clusters.all);
  const done = await Promise.all(
    guests.map(async ({ metadata: { name, namespace = "" }, status }) => {
      const [server, kubelet, quotas] = await Promise.all([
        cluster.api.get(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${tenantNames(name).server}`),
        cluster.api.get(paths.daemonSets.named(namespace, tenantNames(name).kubelet)),
        cluster.api.list(paths.quotas.in(namespace)),
      ]);
      const kubelets = kubelet?.status?.desiredNumberScheduled ?? 0;
      const requested = quotas.map((quota) => millicpu(quota.status?.used?.["requests.cpu"] ?? "0"));
      const needed = millicpu(containerRequest.cpu) * (1 + kubelets);
      return status?.phase !== undefined && server !== undefined && kubelets > 0 && Math.max(0, ...requested) >= needed;
    }),
  );
  return done.every(Boolean);
}

/** Runs the workloads that are real: each one while its Deployment is declared. */
export class RealWorkloads {
  readonly #cluster: HostCluster;
  /** Names of the processes that were started, once for each start. */
  readonly #started: string[] = [];

  constructor(cluster: HostCluster) {
    this.#cluster = cluster;
  }

  /** One look: starts what is declared and does not run, stops what is no longer declared. */
  async settle(): Promise<void> {
    const cluster = this.#cluster;
    await assignAddresses(cluster.api, [simulatedRouter]);
    for (const [name, plan] of [
      ["cert-manager-admission", await certManager(cluster)],
      ["k3k", await k3k(cluster)],
    ] as const) {
      const recorded = cluster.state.processes[name];
      if (plan === undefined) {
        if (recorded !== undefined && isRunning(recorded)) {
          await stopProcesses([recorded]);
        }
        continue;
      }
      if (name === "cert-manager-admission" && needsCapability()) {
        asRoot(
          ["setcap", "cap_net_bind_service=+ep", plan.process.executable],
          "cert-manager's webhook must listen on port 443",
        );
      }
      const before = this.#started.length;
      const record = await ensureProcess(cluster.state, plan.process, this.#started);
      if (this.#started.length > before) {
        // K3k reports its failures in the log only and ends with status 0.
        if (this.#started.filter((started) => started === name).length > 5) {
          throw new Failure(
            `${name} ends again and again. The end of ${record.logFile}:\n${lastLines(record.logFile)}`,
          );
        }
        await waitUntilReady(name, record, plan.ready, 30);
      }
    }
  }

  /** What an earlier run declared. */
  prepare(): Promise<void> {
    return this.settle();
  }

  /** Waits, for half a minute at most, until K3k has worked through the guest clusters. */
  async complete(): Promise<void> {
    await this.settle();
    await eventually(() => guestsAreDeclared(this.#cluster), 30);
  }

  /** Keeps settling while `action` runs. */
  during<Result>(action: () => Promise<Result>): Promise<Result> {
    return whileSettling(() => this.settle(), action);
  }
}
