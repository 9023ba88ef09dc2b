import { barePod, container } from "../legitimate/guest-pod.ts";
import type { KubernetesObject, Pod } from "../translate.ts";
import { acme, type Attack, type Change, create, request, throughGuest } from "./attack.ts";

/*
 * Attacks that the first set of rules let through, each sent to a real API server (Kubernetes 1.35.4), which took it; with
 * what each would have gained.
 *
 * Two more are no single request, and stand in docs/trust-model.md: claims created and deleted in turn (the quota is free
 * again, the volume stays, by `Retain`), and one ConfigMap of a mebibyte rewritten all the time (etcd keeps every version
 * for five minutes). A third, pods that have ended, is tested where quotas are filled.
 */

const honestPod = barePod("web", [container("web", "nginx:1.29")], { labels: { app: "web" }, token: true });

function pod(name: string, change: Change<Pod>, refusal: string): Attack {
  return throughGuest(name, honestPod, change, refusal);
}

/** A term that looks into other namespaces. `kubernetes.io/os` is the same on all nodes: one pod speaks for all. */
function elsewhere(more: Record<string, unknown>): Record<string, unknown> {
  return {
    topologyKey: "kubernetes.io/os",
    labelSelector: { matchExpressions: [{ key: "batch.kubernetes.io/job-name", operator: "Exists" }] },
    ...more,
  };
}

const otherNamespaces = "pod affinity may not name namespaces";

function affinity(name: string, rules: Record<string, unknown>): Attack {
  return pod(name, ({ spec }) => (spec.affinity = rules), otherNamespaces);
}

function coreDns(name: string, change: Change<Pod>): Attack {
  return pod(
    name,
    (object) => {
      object.metadata.name = "coredns-x";
      object.metadata.namespace = "kube-system";
      object.spec.priorityClassName = "system-cluster-critical";
      object.spec.containers.forEach(
        (each) => (each["resources"] = { requests: { cpu: "100m", memory: "70Mi" }, limits: { memory: "170Mi" } }),
      );
      change(object);
    },
    "a CoreDNS with the priority system-cluster-critical",
  );
}

const foundPodAttacks: readonly Attack[] = [
  // Sure, seen in the real scheduler: one such pod of acme's, and no Job of any other tenant is scheduled on any node
  // ("3 node(s) didn't satisfy existing pods anti-affinity rules. No preemption victims found"). The selector only has
  // to miss what runs when the pod arrives: Jobs, solvers, the next hash of a Deployment.
  affinity("no node for the Jobs of anybody else, by one pod", {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [elsewhere({ namespaceSelector: {} })] },
  }),
  // Sure: the same with a list of names.
  affinity("no node for the Jobs of one other tenant", {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [elsewhere({ namespaces: ["k3k-blue"] })] },
  }),
  // Sure that it is taken: the scheduler counts preferences of running pods against newcomers too.
  affinity("the others' pods pushed to other nodes", {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: elsewhere({ namespaceSelector: {}, labelSelector: {} }) },
      ],
    },
  }),
  // Sure: whether the pod is scheduled tells whether a pod with such labels runs in a namespace of somebody else's.
  affinity("what runs in other namespaces, asked of the scheduler", {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [elsewhere({ namespaceSelector: {} })] },
  }),
  // Sure, seen: the host's ephemeral-volume controller, no tenant, makes the claim, and the volume was bound to it. It
  // needs a volume of a tenant's class that waits for its owner, as during a restore, and its name.
  pod(
    "a volume that waits for its owner, by a claim that the host makes for the pod",
    ({ spec }) =>
      spec.volumes?.push({
        name: "loot",
        ephemeral: {
          volumeClaimTemplate: {
            spec: {
              accessModes: ["ReadWriteOnce"],
              storageClassName: "kraft-standard",
              volumeName: "restored-of-blue",
              resources: { requests: { storage: "1Gi" } },
            },
          },
        },
      }),
    "the volumeName of an ephemeral volume would take an existing volume",
  ),
  // Sure that it is taken; that preemption and drains wait as long is Kubernetes' documented behaviour. Whatever has
  // to displace this pod (a guest's API server, Traefik) waits 68 years: the lower priority is worth nothing.
  pod(
    "a grace period that outlasts preemption and every drain",
    ({ spec }) => (spec["terminationGracePeriodSeconds"] = 2_147_483_647),
    "terminationGracePeriodSeconds may be",
  ),
  // Sure that it is taken; from the kubelet's source: it never evicts a pod of this priority (IsCriticalPod). 4 GiB of
  // a node that the others pay for.
  coreDns("memory that no node ever takes back, by a pod called CoreDNS", ({ spec }) => {
    spec.containers.forEach(
      (each) => (each["resources"] = { requests: { cpu: "100m", memory: "1Mi" }, limits: { memory: "4Gi" } }),
    );
  }),
  // Sure: only `containers` is looked at.
  coreDns("the same by a sidecar that requests nothing", ({ spec }) => {
    const sidecar = container("x", "busybox:1.37", { resources: { requests: { cpu: "0", memory: "0" } } });
    spec.initContainers = [{ ...sidecar, restartPolicy: "Always" }];
  }),
  // Sure, seen: with two of them cert-manager's solver is refused ("exceeded quota: kraft-k3k"). Harms only the tenant
  // itself, but the trust model says that it cannot be done.
  coreDns("the share that is K3k's and the solvers', used up", ({ spec }) => {
    spec.containers.forEach(
      (each) => (each["resources"] = { requests: { cpu: "100m", memory: "230Mi" }, limits: { memory: "230Mi" } }),
    );
  }),
  // Sure that it is taken; a gain only where a node has such a device: no quota counts it.
  pod(
    "the only graphics card of the house",
    ({ spec }) => {
      spec.containers.forEach((each) => (each["resources"] = { limits: { "nvidia.com/gpu": "1" } }));
    },
    "a container may request only cpu, memory, ephemeral-storage",
  ),
];

function claim(name: string, storageClass: string): Attack {
  const object: KubernetesObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: "data",
      namespace: "shop",
      annotations: { "volume.beta.kubernetes.io/storage-class": storageClass },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "kraft-standard",
      resources: { requests: { storage: "1Gi" } },
    },
  };
  return throughGuest(name, object, () => undefined, "volume.beta.kubernetes.io/storage-class");
}

const foundClaimAttacks: readonly Attack[] = [
  // Sure, seen, by way of a real guest: the annotation goes before the field, and the claim was bound to a volume
  // without a class that somebody else waited for. Works as an UPDATE of an honest claim too.
  claim("no class, by the annotation that goes before the field", ""),
  // Sure: any class of the host but Longhorn's own two, which a quota holds at 0. No backups, no name known to anybody.
  claim("a class that the host gets one day, by the annotation", "nvme"),
];

function service(name: string, spec: Record<string, unknown>, refusal: string): Attack {
  const object: KubernetesObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }], ...spec },
  };
  return throughGuest(name, object, () => undefined, refusal);
}

const foundServiceAttacks: readonly Attack[] = [
  // Sure that it is taken (15,000 ports too, and by way of a guest). Every node's kube-proxy writes a rule for each port
  // and pod: 60 Services of 15,000 ports and 30 pods are 27 million. How soon it falls over was not measured.
  service(
    "more rules than any node can hold",
    { ports: Array.from({ length: 5000 }, (_, number) => ({ name: `p${number}`, port: number + 1 })) },
    "a Service may have up to",
  ),
];

function ingress(name: string, annotations: Record<string, string>, paths: number, refusal: string): Attack {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const object: KubernetesObject = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "shop", annotations },
    spec: {
      ingressClassName: "traefik",
      rules: Array.from({ length: 20 }, (_, rule) => ({
        host: `n${rule}.acme.example`,
        http: {
          paths: Array.from({ length: paths }, (_, path) => ({ path: `/${path}`, pathType: "Prefix", backend })),
        },
      })),
      tls: [{ hosts: ["n0.acme.example"], secretName: "web-tls" }],
    },
  };
  return throughGuest(name, object, () => undefined, refusal);
}

const foundIngressAttacks: readonly Attack[] = [
  // Sure, and measured with the router of Traefik 3.7.13 alone (pkg/muxer/http, which sorts all routes again for each one
  // that is added, and asks one after the other for every request): 12,000 routes take 0.5 s to load, 60,000 take 12 s and
  // 11 ms for each request of anybody, 120,000 were not loaded after 200 s on a busy machine. 30 such Ingresses are 240,000.
  ingress("more routes than Traefik can hold", {}, 400, "an Ingress may have up to"),
  // Sure that it is taken; cert-manager makes such keys one at a time, of several seconds each, again whenever the
  // annotation changes.
  ingress(
    "cert-manager's time, by keys of 8192 bits",
    {
      "cert-manager.io/cluster-issuer": "kraft-issuer",
      "cert-manager.io/private-key-algorithm": "RSA",
      "cert-manager.io/private-key-size": "8192",
    },
    1,
    "cert-manager.io/private-key-size",
  ),
];

const foundPlatformAttacks: readonly Attack[] = [
  // Sure; with the kubelet's token only, since K3k's syncer drops finalizers. A pod like it, deleted, is counted in no
  // quota and never goes; a namespace is never emptied.
  create(
    "an object that nobody can delete",
    "k3k-kubelet",
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "loot-shop-acme-6c6f6f742b73686f702b61636d65",
        namespace: acme.namespace,
        finalizers: ["example.org/never"],
      },
    },
    "a finalizer would keep the platform",
  ),
  // Sure: one in 90 names of a DaemonSet's pods (11 of the 27 letters are hexadecimal, five times) looks like a copy's.
  // Little gain: it is the tenant's own kubelet,
  // but a way to the host's API server from inside for whoever has its token elsewhere.
  request(
    "K3k's kubelet entered, where its name looks like that of a copy",
    "k3k-kubelet",
    "GET",
    "/api/v1/namespaces/k3k-acme/pods/k3k-acme-kubelet-bcd42/exec?command=sh&stdout=true",
    "this pod belongs to the platform",
  ),
];

/** Attacks that were let through once, by what is attacked. */
export const letThroughOnce = {
  pods: foundPodAttacks,
  claims: foundClaimAttacks,
  services: foundServiceAttacks,
  ingresses: foundIngressAttacks,
  platform: foundPlatformAttacks,
} as const satisfies Record<string, readonly Attack[]>;
