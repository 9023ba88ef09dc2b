import { byteQuantity, cpuQuantity, mebibytes, millicpu } from "./quantity.ts";

/** Amounts of what a namespace can hold: thousandths of a CPU, mebibytes, and pods. */
export interface Amounts {
  readonly millicpu: number;
  readonly memoryMebibytes: number;
  readonly storageMebibytes: number;
  readonly pods: number;
}

/** What a tenant may use for its own pods and volumes, besides what K3k needs to run the guest. */
export const sizes = {
  small: allowance({ cpu: "2", memory: "4Gi", storage: "50Gi", pods: 30 }),
  medium: allowance({ cpu: "4", memory: "10Gi", storage: "150Gi", pods: 60 }),
  large: allowance({ cpu: "8", memory: "24Gi", storage: "400Gi", pods: 120 }),
} as const satisfies Record<string, Amounts>;

export type Size = keyof typeof sizes;

/**
 * What a container gets that asks for nothing. No CPU limit: a limit throttles even on an idle node, and the quota
 * already bounds what may be requested.
 */
export const containerDefaults = {
  request: { cpu: "100m", memory: "128Mi" },
  limit: { memory: "512Mi" },
} as const;

/** Memory of the guest's API server; K3k requests what it limits. Its CPU request is the container default. */
export const serverMemory = "1Gi";

/** Memory of the K3k kubelet on each node; K3k requests what it limits. Its CPU request is the container default. */
export const kubeletMemory = "128Mi";

/** Size of the volume under the guest's etcd. K3k makes it immutable, and its default of 2G is tight for etcd. */
export const datastoreStorage = "5Gi";

/** What the CoreDNS of K3s requests in a guest (the manifest that K3s ships). */
const coreDns = { cpu: "100m", memory: "70Mi" };

/** What cert-manager's HTTP-01 solver requests, and how many may run at once before the quota is in their way. */
const acmeSolver = { cpu: "10m", memory: "64Mi", pods: 5 };

/**
 * What K3k itself needs in a tenant's namespace, whatever the tenant does: the guest's server, one K3k kubelet on every
 * node, CoreDNS, and room for cert-manager's solvers.
 *
 * @param nodes Number of nodes of the host cluster.
 */
export function k3kOverhead(nodes: number): Amounts {
  const request = containerDefaults.request;
  return {
    millicpu: millicpu(request.cpu) * (1 + nodes) + millicpu(coreDns.cpu) + millicpu(acmeSolver.cpu) * acmeSolver.pods,
    memoryMebibytes:
      mebibytes(serverMemory) +
      mebibytes(kubeletMemory) * nodes +
      mebibytes(coreDns.memory) +
      mebibytes(acmeSolver.memory) * acmeSolver.pods,
    storageMebibytes: mebibytes(datastoreStorage),
    pods: 1 + nodes + 1 + acmeSolver.pods,
  };
}

/** Hard limits that an operator wrote for a tenant, as Kubernetes quantities. */
export interface QuotaOverride {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly storage?: string | undefined;
  readonly pods?: number | undefined;
}

/** The total that a tenant's namespace may hold: the size's allowance and K3k's overhead, or what the operator wrote. */
export function tenantTotal(size: Size, nodes: number, override: QuotaOverride = {}): Amounts {
  const own = sizes[size];
  const overhead = k3kOverhead(nodes);
  return {
    millicpu: override.cpu === undefined ? own.millicpu + overhead.millicpu : millicpu(override.cpu),
    memoryMebibytes:
      override.memory === undefined ? own.memoryMebibytes + overhead.memoryMebibytes : mebibytes(override.memory),
    storageMebibytes:
      override.storage === undefined ? own.storageMebibytes + overhead.storageMebibytes : mebibytes(override.storage),
    pods: override.pods ?? own.pods + overhead.pods,
  };
}

/**
 * The total as the `hard` part of a ResourceQuota.
 *
 * Only requests are bounded, never `limits.*`: K3k divides a quota on limits by the number of nodes and shows the rest
 * as the size of each node, so that no larger pod could be scheduled in the guest.
 *
 * @param forbiddenClasses Storage classes of the host that tenants may not use.
 */
export function quotaHard(total: Amounts, forbiddenClasses: readonly string[]): Record<string, string> {
  const forbidden = forbiddenClasses.map((name) => [`${name}.storageclass.storage.k8s.io/requests.storage`, "0"]);
  return {
    "requests.cpu": cpuQuantity(total.millicpu),
    "requests.memory": byteQuantity(total.memoryMebibytes),
    "requests.storage": byteQuantity(total.storageMebibytes),
    pods: String(total.pods),
    persistentvolumeclaims: "20",
    "services.nodeports": "0",
    "services.loadbalancers": "0",
    "count/services": "60",
    "count/secrets": "300",
    "count/configmaps": "300",
    "count/ingresses.networking.k8s.io": "30",
    ...(Object.fromEntries(forbidden) as Record<string, string>),
  };
}

function allowance(size: { cpu: string; memory: string; storage: string; pods: number }): Amounts {
  return {
    millicpu: millicpu(size.cpu),
    memoryMebibytes: mebibytes(size.memory),
    storageMebibytes: mebibytes(size.storage),
    pods: size.pods,
  };
}
