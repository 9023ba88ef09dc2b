/** Mebibytes in each unit of Kubernetes that Kraft uses. */
const units = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 } as const;

/** Amounts of resources: thousandths of a CPU, mebibytes, and pods. */
export interface Amounts {
  readonly millicpu: number;
  readonly memoryMebibytes: number;
  readonly storageMebibytes: number;
  readonly pods: number;
}

/** What a tenant's own pods and volumes may use. What K3k needs to run the guest comes on top. */
export const sizes = {
  small: amounts({ cpu: "2", memory: "4Gi", storage: "50Gi", pods: 30 }),
  medium: amounts({ cpu: "4", memory: "10Gi", storage: "150Gi", pods: 60 }),
  large: amounts({ cpu: "8", memory: "24Gi", storage: "400Gi", pods: 120 }),
};

export type Size = keyof typeof sizes;

/**
 * The priority class of every pod that comes from a guest. It tells the tenant's own pods from those of K3k and
 * cert-manager, which have none and so precede them: a guest's API server never waits for a tenant's pods.
 */
export const priorityClasses = { tenant: "kraft-tenant" } as const;

/** Below 0, the priority of pods that name no class. */
export const tenantPriority = -10;

/** The requests of a container that states none. */
export const containerRequest = { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" } as const;

/** The most that a container may write outside its volumes: all tenants share the node's disk. */
const ephemeralStorageLimit = "5Gi";

/** Processes and threads that one pod may have (`podPidsLimit` of every kubelet): one tenant's fork bomb stays in its pod. */
export const processesPerPod = 4096;

/** Memory of the guest's API server; K3k requests what it limits. Its CPU request is the container default. */
export const serverMemory = "1Gi";

/** Memory of the K3k kubelet on each node; K3k requests what it limits. Its CPU request is the container default. */
export const kubeletMemory = "128Mi";

/** Size of the volume under the guest's etcd. K3k makes it immutable, and its default of 2G is tight for etcd. */
export const datastoreStorage = "5Gi";

/** The CoreDNS of a guest, by the manifest that K3s ships, and a second one during an update. */
const coreDns = { cpu: "100m", memory: "70Mi", pods: 2 };

/** cert-manager's HTTP-01 solver, and how many may run at once. */
const acmeSolver = { cpu: "10m", memory: "64Mi", pods: 5 };

/**
 * What K3k itself needs in a tenant's namespace, whatever the tenant does: the guest's server, one K3k kubelet on every
 * node of the host, CoreDNS, and room for cert-manager's solvers.
 */
export function k3kOverhead(nodes: number): Amounts {
  return {
    millicpu:
      millicpu(containerRequest.cpu) * (1 + nodes) +
      millicpu(coreDns.cpu) * coreDns.pods +
      millicpu(acmeSolver.cpu) * acmeSolver.pods,
    memoryMebibytes:
      mebibytes(serverMemory) +
      mebibytes(kubeletMemory) * nodes +
      mebibytes(coreDns.memory) * coreDns.pods +
      mebibytes(acmeSolver.memory) * acmeSolver.pods,
    storageMebibytes: mebibytes(datastoreStorage),
    pods: 1 + nodes + coreDns.pods + acmeSolver.pods,
  };
}

/** What an operator allows a tenant in place of the size's allowance, as Kubernetes quantities. */
export interface QuotaOverride {
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
  readonly pods?: number;
}

/** What a tenant's own pods and volumes may use: the size's allowance, with what the operator overrides. */
export function tenantAllowance(size: Size, override: QuotaOverride = {}): Amounts {
  return amounts({ ...readable(sizes[size]), ...override });
}

/** Amounts as an operator reads them. */
export function readable(amounts: Amounts): Required<QuotaOverride> {
  return {
    cpu: cpuQuantity(amounts.millicpu),
    memory: byteQuantity(amounts.memoryMebibytes),
    storage: byteQuantity(amounts.storageMebibytes),
    pods: amounts.pods,
  };
}

function ofTenantPods(operator: "In" | "NotIn") {
  return { matchExpressions: [{ scopeName: "PriorityClass", operator, values: [priorityClasses.tenant] }] };
}

/**
 * The quota on the pods that come from the guest. K3k divides its number of pods by the number of nodes, and reports the
 * result as the size of each of the guest's nodes.
 *
 * Only requests are limited, never `limits.*`: K3k would divide those too, and no pod larger than such a share could be
 * scheduled in the guest.
 */
export function podQuota(allowance: Amounts) {
  return {
    hard: {
      "requests.cpu": cpuQuantity(allowance.millicpu),
      "requests.memory": byteQuantity(allowance.memoryMebibytes),
      pods: String(allowance.pods),
    },
    scopeSelector: ofTenantPods("In"),
  };
}

/**
 * The quota on everything else that runs in the namespace: exactly what K3k needs. A tenant's pods do not count against
 * it, so K3k's pods and cert-manager's solvers can always start.
 *
 * It has no number of pods, because K3k takes the smallest of all quotas as the size of the guest's nodes.
 */
export function k3kQuota(nodes: number) {
  const { millicpu, memoryMebibytes } = k3kOverhead(nodes);
  return {
    hard: { "requests.cpu": cpuQuantity(millicpu), "requests.memory": byteQuantity(memoryMebibytes) },
    scopeSelector: ofTenantPods("NotIn"),
  };
}

/** Room for finished pods, those of K3k and cert-manager included, however small the tenant. */
const endedPods = 60;

/** Certificates of a tenant that may be asked for at once. Each has an Ingress of cert-manager's meanwhile. */
const challenges = 10;

/** Ingresses that a tenant may have and still get certificates. */
const ownIngresses = 30;

/** Volume claims of a tenant, the datastore of the guest included. */
const claimLimit = 21;

/**
 * The quota on volumes, and on the number of objects: all are kept in the host's etcd, where a Secret or a ConfigMap
 * may take a mebibyte. `classes` says how much may be claimed of each storage class outside the tenant's tier.
 */
export function objectQuota(
  allowance: Amounts,
  classes: Readonly<Record<string, string>>,
): { readonly hard: Record<string, string> } {
  const storage = allowance.storageMebibytes + mebibytes(datastoreStorage);
  const limits = Object.entries(classes).map(
    ([name, most]) => [`${name}.storageclass.storage.k8s.io/requests.storage`, most] as const,
  );
  return {
    hard: {
      "requests.storage": byteQuantity(storage),
      persistentvolumeclaims: String(claimLimit),
      "services.nodeports": "0",
      "services.loadbalancers": "0",
      // Including finished pods, which the quota on pods leaves out.
      "count/pods": String(allowance.pods * 3 + endedPods),
      "count/services": "60",
      "count/secrets": "200",
      "count/configmaps": "200",
      "count/ingresses.networking.k8s.io": String(ownIngresses + challenges),
      "count/certificates.cert-manager.io": "30",
      "count/challenges.acme.cert-manager.io": String(challenges),
      "count/leases.coordination.k8s.io": "5",
      ...Object.fromEntries(limits),
    },
  };
}

/** One entry of a LimitRange. */
export interface Limit {
  readonly type: "Container" | "PersistentVolumeClaim";
  readonly defaultRequest?: Readonly<Record<string, string>>;
  readonly max: Readonly<Record<string, string>>;
}

/**
 * The requests of a container that states none, and the most that one container or one volume may have: never less than
 * K3k's own server has. There is no minimum, since cert-manager's solver asks for very little.
 *
 * The maximum is also the limit of a container that states none: Kubernetes would refuse every container that requests
 * more than a lower default. There is no CPU limit, which throttles even on an idle node.
 */
export function limitRange(allowance: Amounts): readonly Limit[] {
  const memory = Math.max(allowance.memoryMebibytes, mebibytes(serverMemory));
  const storage = Math.max(allowance.storageMebibytes, mebibytes(datastoreStorage));
  return [
    {
      type: "Container",
      defaultRequest: containerRequest,
      max: { memory: byteQuantity(memory), "ephemeral-storage": ephemeralStorageLimit },
    },
    {
      type: "PersistentVolumeClaim",
      max: { storage: byteQuantity(storage) },
    },
  ];
}

/** The most that one pod, one container and one volume may ask for, as Kubernetes quantities. */
export interface Largest {
  readonly cpu: string;
  readonly memory: string;
  readonly ephemeralStorage: string;
  readonly volume: string;
}

/** The most that one pod, one container and one volume may ask for: all that the tenant has, and of a node's disk a part. */
export function largestOfTenant(allowance: Amounts): Largest {
  const { cpu, memory, storage } = readable(allowance);
  return { cpu, memory, ephemeralStorage: ephemeralStorageLimit, volume: storage };
}

function amounts({ cpu, memory, storage, pods }: Required<QuotaOverride>): Amounts {
  return {
    millicpu: millicpu(cpu),
    memoryMebibytes: mebibytes(memory),
    storageMebibytes: mebibytes(storage),
    pods,
  };
}

/** Thousandths of a CPU of a quantity such as `2`, `1.5` or `500m`; throws a RangeError for anything else. */
export function millicpu(quantity: string): number {
  const match = /^([0-9]+)m$|^([0-9]+(?:\.[0-9]{1,3})?)$/.exec(quantity);
  if (match === null) {
    throw new RangeError(`not a CPU quantity: ${quantity}`);
  }
  return match[1] === undefined ? Math.round(Number(match[2]) * 1000) : Number(match[1]);
}

/** `500` as `500m`, `2000` as `2`: the form that the API server itself would print. */
export function cpuQuantity(thousandths: number): string {
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/** Mebibytes of a quantity such as `512Mi`, `4Gi` or `1Ti`; throws a RangeError for anything else. */
export function mebibytes(quantity: string): number {
  const match = /^([0-9]+)(Mi|Gi|Ti)$/.exec(quantity);
  if (match === null) {
    throw new RangeError(`not a quantity in Mi, Gi or Ti: ${quantity}`);
  }
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** `1536` as `1536Mi`, `4096` as `4Gi`: the form that the API server itself would print. */
export function byteQuantity(mebibytes: number): string {
  const unit = (["Ti", "Gi"] as const).find((name) => mebibytes % units[name] === 0) ?? "Mi";
  return `${mebibytes / units[unit]}${unit}`;
}
