import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { tenantStorageLabel } from "../../components/plan/storage.ts";
import { type Access, Api } from "../../local/api.ts";
import {
  apiServerPlan,
  controllerManagerPlan,
  type ControlPlaneInputs,
  kubeconfigFile,
  kubeconfigText,
  logFile,
  provideCredentials,
  schedulerPlan,
  servingCertificate,
} from "../../local/control-plane.ts";
import { ensureProcess, type HostCluster } from "../../local/host-cluster.ts";
import { type ProcessPlan, type ProcessRecord, stopProcesses, waitUntilReady } from "../../local/processes.ts";
import { freePorts, writeFileWhole } from "../../local/state.ts";
import { toolPath } from "../../local/toolchain/ready.ts";
import { eventually } from "./embedded.ts";
import { bindClusterRoles } from "./k3k-rights.ts";

/** A tenant's guest cluster that runs. */
export interface Guest {
  readonly tenant: string;
  /** Name of the guest's one node, which is also that of the host's node it stands for. */
  readonly node: string;
  /** The guest's API server, as its administrator. */
  readonly api: Api;
  /** What the kubelet has logged so far: one JSON object a line. */
  log(): string;
  /** Ends the guest's processes. Its objects stay in the host's etcd, and what it wrote to the host stays there. */
  stop(): Promise<void>;
}

interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface Pod extends KubernetesObject {
  readonly spec: { readonly nodeName?: string };
}

interface Node extends KubernetesObject {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** A kind of object, as an API server lists what it serves. */
interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * Runs a tenant's guest cluster: its own API server, controller manager and scheduler in place of K3s, and K3k's kubelet
 * for one node, which has on the host what its service account may do and nothing else.
 *
 * @param host a host cluster whose K3k runs and knows the tenant
 */
export async function startGuest(host: HostCluster, tenant: string): Promise<Guest> {
  const directory = join(host.directory, "guests", tenant);
  const hostPorts = host.state.ports;
  const [port = 0] = await freePorts(1);
  if (hostPorts === undefined) {
    throw new Error(`${host.directory} holds no cluster that runs`);
  }
  const inputs: ControlPlaneInputs = {
    stack: host.stack,
    directory,
    tools: host.tools,
    // Nobody asks controller manager and scheduler for anything: port 0 is none at all.
    ports: { ...hostPorts, apiServer: port, controllerManager: 0, scheduler: 0 },
    credentials: provideCredentials(directory),
  };
  const records: ProcessRecord[] = [];
  const start = async (plan: ProcessPlan, more: readonly string[] = []): Promise<ProcessRecord> => {
    const name = `guest-${tenant}-${plan.name}`;
    // Among the host's own, so that they end with it even if nobody stops them.
    const record = await ensureProcess(host.state, { ...plan, name, arguments: [...plan.arguments, ...more] }, []);
    records.push(record);
    return record;
  };

  const apiServer = await start(apiServerPlan(inputs), [
    `--etcd-prefix=/guest-${tenant}`,
    // Pod Security is the host's business; K3s leaves it at `privileged`.
    "--admission-control-config-file=",
  ]);
  const kubelet = await kubeletOf(host, tenant, directory);
  const certificate = servingCertificate(directory);
  await waitUntilReady("the guest's API server", apiServer, () => Promise.resolve(existsSync(certificate)));
  const access: Access = {
    server: `https://127.0.0.1:${port}`,
    certificateAuthority: readFileSync(certificate, "utf8"),
    token: inputs.credentials.token,
  };
  const api = new Api(access);
  await waitUntilReady("the guest's API server", apiServer, () => api.answers("/readyz"));
  writeFileWhole(kubeconfigFile(directory), kubeconfigText(`guest-${tenant}`, access));

  const kubeletRecord = await start(kubelet.plan);
  await start(controllerManagerPlan(inputs));
  await start(schedulerPlan(inputs));
  await fillGuest(host, tenant, api);
  for (const namespace of ["default", "kube-system"]) {
    await eventually(`service account of the guest's namespace ${namespace}`, () =>
      api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
    );
  }
  const log = (): string => readFileSync(kubeletRecord.logFile, "utf8");
  await waitUntilReady("k3k-kubelet", kubeletRecord, async () => {
    const node = await api.get<Node>(`/api/v1/nodes/${kubelet.node}`);
    const ready = node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    // The kubelet says how large its node is ten seconds after it has started; until then no pod fits.
    const schedulable = (node?.spec.taints ?? []).length === 0 && node?.status?.allocatable?.["pods"] !== undefined;
    // The last thing that controller-runtime says once it holds the lease and a syncer has seen everything there is.
    return ready && schedulable && log().includes("Starting workers");
  });
  return {
    tenant,
    node: kubelet.node,
    api,
    log,
    stop: async () => {
      api.close();
      // Clients before the server.
      await stopProcesses(records.slice(1));
      await stopProcesses(records.slice(0, 1));
    },
  };
}

/**
 * Makes everything ready for the kubelet that K3k has declared for the host's first node: the file that K3k wrote for
 * it, and a token of its service account that is bound to its pod, as the host's own kubelet would have mounted it.
 */
async function kubeletOf(
  host: HostCluster,
  tenant: string,
  directory: string,
): Promise<{ readonly node: string; readonly plan: ProcessPlan }> {
  const { namespace } = tenantNames(tenant);
  const account = `k3k-${tenant}-kubelet`;
  const collection = `/api/v1/namespaces/${namespace}`;
  const node = host.stack.nodes[0]?.name ?? "";
  const pod = await eventually(`kubelet of ${tenant} on node ${node}`, async () => {
    const selector = encodeURIComponent(`cluster=${tenant},type=agent,mode=shared`);
    const pods = await host.api.list<Pod>(`${collection}/pods?labelSelector=${selector}`);
    return pods.find(({ spec }) => spec.nodeName === node);
  });
  const config = await eventually(`configuration of the kubelets of ${tenant}`, async () => {
    const secret = await host.api.get<Secret>(`${collection}/secrets/k3k-${tenant}-agent-config`);
    return secret?.data?.["config.yaml"];
  });
  await bindClusterRoles(host.api);
  const { name, uid } = pod.metadata;
  const { status } = await host.api.create<{ readonly status: { readonly token: string } }>(
    `${collection}/serviceaccounts/${account}/token`,
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3600, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    },
  );
  const configFile = join(directory, "kubelet", "config.yaml");
  const hostKubeconfig = join(directory, "kubelet", "host.yaml");
  writeFileWhole(configFile, Buffer.from(config, "base64").toString("utf8"));
  writeFileWhole(hostKubeconfig, kubeconfigText(account, { ...host.api.access, token: status.token }));
  return {
    node,
    plan: {
      name: "k3k-kubelet",
      executable: toolPath(host.tools, "k3k-kubelet-stand-in"),
      arguments: [
        `--config=${configFile}`,
        `--host-kubeconfig=${hostKubeconfig}`,
        `--guest-kubeconfig=${kubeconfigFile(directory)}`,
        `--agent-hostname=${node}`,
      ],
      logFile: logFile(directory, "k3k-kubelet"),
    },
  };
}

/** Brings into the guest what K3s and K3k's controller would: the tenant's addons, and the host's storage classes. */
async function fillGuest(host: HostCluster, tenant: string, api: Api): Promise<void> {
  const { namespace, addonsSecret } = tenantNames(tenant);
  const addons = await host.api.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${addonsSecret}`);
  for (const file of Object.values(addons?.data ?? {})) {
    for (const document of parseAllDocuments(Buffer.from(file, "base64").toString("utf8"))) {
      const manifest = document.toJS() as KubernetesObject;
      await api.apply(await pathOf(api, manifest), manifest);
    }
  }
  const storageClasses = "/apis/storage.k8s.io/v1/storageclasses";
  for (const found of await host.api.list(`${storageClasses}?labelSelector=${tenantStorageLabel}%3Dtrue`)) {
    const { name, labels, annotations } = found.metadata;
    await api.apply(`${storageClasses}/${name}`, {
      ...found,
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name, labels: { ...labels, "k3k.io/sync-source": "host" }, annotations },
    });
  }
}

/** Where an object is in the API. */
async function pathOf(api: Api, { apiVersion = "", kind, metadata }: KubernetesObject): Promise<string> {
  const version = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const known = await api.get<{ readonly resources: readonly Resource[] }>(version);
  const resource = known?.resources.find((found) => found.kind === kind && !found.name.includes("/"));
  const { namespace } = metadata;
  if (resource?.namespaced !== (namespace !== undefined)) {
    const place = namespace === undefined ? "without a namespace" : "of a namespace";
    throw new Error(`${apiVersion} ${String(kind)} is no kind of object ${place} in the guest`);
  }
  const folder = namespace === undefined ? version : `${version}/namespaces/${namespace}`;
  return `${folder}/${resource.name}/${metadata.name}`;
}
