import type { KubernetesObject } from "../translate.ts";
import { type Attack, type Change, create, throughGuest } from "./attack.ts";

interface Service extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { annotations: Record<string, string> };
  spec: {
    type?: string;
    selector?: Record<string, string>;
    ports: { port: number; nodePort?: number }[];
    externalIPs?: string[];
    externalName?: string;
  };
}

const honestService: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop", annotations: {} },
  spec: { type: "ClusterIP", selector: { app: "web" }, ports: [{ port: 80 }] },
};

function service(name: string, change: Change<Service>, refusal: string, covers: readonly string[] = []): Attack {
  return throughGuest(name, honestService, change, refusal, covers);
}

function annotatedService(name: string, key: string, value: string): Attack {
  return service(
    name,
    ({ metadata }) => (metadata.annotations[key] = value),
    `annotations that are not allowed on a Service here: ${key}`,
  );
}

/** Ways out of the cluster, or into others' traffic, by a Service. */
export const serviceAttacks: readonly Attack[] = [
  service("a port of every node", ({ spec }) => (spec.type = "NodePort"), "spec.type must be ClusterIP", [
    "MTB-PL1-BC-HI-1",
  ]),
  service(
    "a certain port of every node",
    ({ spec }) => {
      spec.type = "NodePort";
      spec.ports = [{ port: 80, nodePort: 30443 }];
    },
    "spec.type must be ClusterIP",
    ["MTB-PL1-BC-HI-1"],
  ),
  service("an address of the home network", ({ spec }) => (spec.type = "LoadBalancer"), "spec.type must be ClusterIP", [
    "MTB-PL1-CC-FNS-2",
  ]),
  service(
    "the address of a node, for everybody's traffic to it",
    ({ spec }) => (spec.externalIPs = ["198.51.100.11"]),
    "spec.externalIPs would take addresses of others",
    ["CVE-2020-8554"],
  ),
  service(
    "the address of a public name server",
    ({ spec }) => (spec.externalIPs = ["1.1.1.1"]),
    "spec.externalIPs would take addresses of others",
    ["CVE-2020-8554"],
  ),
  service(
    "Traefik sent to the host's API server by name",
    ({ spec }) => {
      spec.type = "ExternalName";
      spec.externalName = "kubernetes.default.svc.cluster.local";
    },
    "a Service may not stand for a name elsewhere",
  ),
  service(
    "a name kept for the day the type changes",
    ({ spec }) => (spec.externalName = "longhorn-backend.longhorn-system.svc"),
    "a Service may not stand for a name elsewhere",
  ),
  annotatedService(
    "a middleware past Traefik's own guard",
    "traefik.ingress.kubernetes.io/service.middlewares",
    "traefik-auth@kubernetescrd",
  ),
  annotatedService(
    "the same in capitals, which Traefik takes as well",
    "Traefik.Ingress.Kubernetes.io/Service.Middlewares",
    "traefik-auth@kubernetescrd",
  ),
  annotatedService(
    "another's client certificate towards a backend",
    "traefik.ingress.kubernetes.io/service.serverstransport",
    "traefik-mtls@kubernetescrd",
  ),
  annotatedService(
    "Traefik's requests to the ports of nodes",
    "traefik.ingress.kubernetes.io/service.nodeportlb",
    "true",
  ),
  annotatedService(
    "a cookie for all of another tenant's hosts",
    "traefik.ingress.kubernetes.io/service.sticky.cookie.domain",
    ".blue.example",
  ),
  annotatedService("an address of MetalLB's pool", "metallb.io/loadBalancerIPs", "192.168.1.240"),
  annotatedService("an address of kube-vip's", "kube-vip.io/loadbalancerIPs", "192.168.1.240"),
  annotatedService("a record in the platform's DNS", "external-dns.alpha.kubernetes.io/hostname", "ingress.kraft.test"),
  annotatedService("k3s' own load balancer", "svccontroller.k3s.cattle.io/lbpool", "public"),
];

interface Claim extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { labels: Record<string, string>; annotations: Record<string, string> };
  spec: {
    accessModes: string[];
    storageClassName?: string;
    volumeName?: string;
    selector?: object;
    dataSource?: object;
    dataSourceRef?: object;
    volumeAttributesClassName?: string;
    resources: { requests: { storage: string } };
  };
}

const honestClaim: Claim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data", namespace: "shop", labels: {}, annotations: {} },
  spec: {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "kraft-standard",
    resources: { requests: { storage: "1Gi" } },
  },
};

function claim(name: string, change: Change<Claim>, refusal: string, covers: readonly string[] = []): Attack {
  return throughGuest(name, honestClaim, change, refusal, covers);
}

const ordersToLonghorn = "labels and annotations that are not allowed on a claim";

/** Ways to others' data, to more storage, or to the platform's schedules, by a volume claim. */
export const claimAttacks: readonly Attack[] = [
  claim(
    "Longhorn's own class, which has no schedule",
    ({ spec }) => (spec.storageClassName = "longhorn"),
    "spec.storageClassName must be one of kraft-standard, kraft-critical, kraft-bulk",
  ),
  claim(
    "the class of volumes made by hand",
    ({ spec }) => (spec.storageClassName = "longhorn-static"),
    "spec.storageClassName must be one of",
  ),
  claim(
    "a class that the host gets one day",
    ({ spec }) => (spec.storageClassName = "nvme"),
    "spec.storageClassName must be one of",
  ),
  claim(
    "no class, for a volume that waits for its owner",
    ({ spec }) => (spec.storageClassName = ""),
    "spec.storageClassName must be one of",
  ),
  claim(
    "the volume of another tenant",
    ({ spec }) => (spec.volumeName = "pvc-of-blue"),
    "spec.volumeName would take an existing volume",
    ["MTB Block use of existing PVs"],
  ),
  create(
    "the volume of another tenant, by an ephemeral volume of a pod",
    "ephemeral-volume-controller",
    {
      ...structuredClone(honestClaim),
      metadata: { name: "web-shop-acme-7765622b73686f702b61636d65-loot", namespace: "k3k-acme" },
      spec: { ...honestClaim.spec, volumeName: "pvc-of-blue" },
    },
    "spec.volumeName would take an existing volume",
    ["MTB Block use of existing PVs"],
  ),
  claim(
    "any volume with a certain label",
    ({ spec }) => (spec.selector = { matchLabels: { tenant: "blue" } }),
    "spec.selector would choose among existing volumes",
    ["MTB Block use of existing PVs"],
  ),
  claim(
    "a copy of the guest's own datastore",
    ({ spec }) => (spec.dataSource = { kind: "PersistentVolumeClaim", name: "varlibrancherk3s-k3k-acme-server-0" }),
    "spec.dataSource and spec.dataSourceRef are not allowed",
  ),
  claim(
    "a volume of a snapshot's content",
    ({ spec }) =>
      (spec.dataSourceRef = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "of-blue" }),
    "spec.dataSource and spec.dataSourceRef are not allowed",
  ),
  claim(
    "other parameters for an existing volume",
    ({ spec }) => (spec.volumeAttributesClassName = "fast"),
    "spec.volumeAttributesClassName is not allowed",
  ),
  claim(
    "no backups at all",
    ({ metadata }) => (metadata.labels["recurring-job.longhorn.io/source"] = "enabled"),
    ordersToLonghorn,
  ),
  claim(
    "a backup every minute",
    ({ metadata }) => (metadata.labels["recurring-job.longhorn.io/backup-six-hourly"] = "enabled"),
    ordersToLonghorn,
  ),
  claim(
    "another tier's schedule",
    ({ metadata }) => (metadata.labels["recurring-job-group.longhorn.io/critical"] = "enabled"),
    ordersToLonghorn,
  ),
  claim(
    "orders to Longhorn by annotation",
    ({ metadata }) => (metadata.annotations["longhorn.io/volume-scheduling-error"] = "x"),
    ordersToLonghorn,
  ),
  claim(
    "a volume larger than all that the tenant has",
    ({ spec }) => (spec.resources.requests.storage = "60Gi"),
    "maximum storage usage per PersistentVolumeClaim is 50Gi",
    ["MTB-PL1-CC-FNS-1"],
  ),
];
