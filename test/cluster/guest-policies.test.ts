// What a guest's own policies tell at `kubectl apply`, on a real API server that has nothing else of a guest.
import assert from "node:assert/strict";
import { request } from "node:https";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { guestPolicies } from "../../components/plan/admission/policies.ts";
import { guestManifests } from "../../components/plan/guest.ts";
import { largestOfTenant, tenantAllowance } from "../../components/plan/size.ts";
import { type Embedded, embedded, eventually } from "./embedded.ts";

let host: Embedded;

const settings = { ingressClassName: "traefik", issuerName: "kraft-issuer" };
const namespace = "shop";
const group = "/apis/admissionregistration.k8s.io/v1";
const collections: Readonly<Record<string, string>> = {
  CronJob: "/apis/batch/v1/namespaces/NS/cronjobs",
  DaemonSet: "/apis/apps/v1/namespaces/NS/daemonsets",
  Deployment: "/apis/apps/v1/namespaces/NS/deployments",
  Ingress: "/apis/networking.k8s.io/v1/namespaces/NS/ingresses",
  IngressRoute: "/apis/traefik.io/v1alpha1/namespaces/NS/ingressroutes",
  Job: "/apis/batch/v1/namespaces/NS/jobs",
  NetworkPolicy: "/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies",
  PersistentVolume: "/api/v1/persistentvolumes",
  PersistentVolumeClaim: "/api/v1/namespaces/NS/persistentvolumeclaims",
  Pod: "/api/v1/namespaces/NS/pods",
  PodDisruptionBudget: "/apis/policy/v1/namespaces/NS/poddisruptionbudgets",
  PriorityClass: "/apis/scheduling.k8s.io/v1/priorityclasses",
  ReplicaSet: "/apis/apps/v1/namespaces/NS/replicasets",
  ReplicationController: "/api/v1/namespaces/NS/replicationcontrollers",
  Secret: "/api/v1/namespaces/NS/secrets",
  Service: "/api/v1/namespaces/NS/services",
  StatefulSet: "/apis/apps/v1/namespaces/NS/statefulsets",
};

type PodSpec = Readonly<Record<string, unknown>>;

interface Sent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: object;
    readonly ownerReferences?: readonly object[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

function pathOf({ kind, metadata }: Sent): string {
  return (collections[kind] ?? "").replace("NS", metadata.namespace);
}

function container(more: object = {}): object {
  return { name: "main", image: "registry.example/web:1", ...more };
}

function pod(spec: PodSpec = {}): Sent {
  const metadata = { name: "web", namespace };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container()], ...spec } };
}

/** A workload whose pods have this spec. */
function workload(kind: string, spec: PodSpec = {}, more: object = {}, name = "web", inNamespace = namespace): Sent {
  const labels = { app: name };
  const batch = kind === "Job" || kind === "CronJob";
  const pods = { containers: [container()], ...(batch && { restartPolicy: "Never" }), ...spec };
  const template = { metadata: { labels }, spec: pods };
  const ofKind: Readonly<Record<string, object>> = {
    CronJob: { schedule: "0 4 * * *", jobTemplate: { spec: { template } } },
    Job: { template },
    ReplicationController: { selector: labels, template },
    StatefulSet: { selector: { matchLabels: labels }, serviceName: name, template },
  };
  return {
    apiVersion: batch ? "batch/v1" : kind === "ReplicationController" ? "v1" : "apps/v1",
    kind,
    metadata: { name, namespace: inNamespace },
    spec: { ...(ofKind[kind] ?? { selector: { matchLabels: labels }, template }), ...more },
  };
}

/** A volume of a pod that makes a claim of its own. */
function ephemeral(spec: object, metadata: object = {}): PodSpec {
  const volumeClaimTemplate = { metadata, ...claimTemplate(spec, false) };
  return { volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate } }] };
}

function requests(resources: object): object {
  return container({ resources: { requests: resources } });
}

function claim(more: object = {}): Sent {
  const spec = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "kraft-standard",
    resources: { requests: { storage: "1Gi" } },
    ...more,
  };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data", namespace }, spec };
}

const issuer = { "cert-manager.io/cluster-issuer": "kraft-issuer" };

function ingress(more: object = {}, annotations: object = issuer, host = "www.acme.example"): Sent {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const spec = {
    ingressClassName: "traefik",
    rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    tls: [{ hosts: [host], secretName: "web-tls" }],
    ...more,
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace, annotations },
    spec,
  };
}

before(async () => {
  host = await embedded("local");
  const { api } = host.cluster;
  // A guest has no Pod Security of its own; this API server has, and would answer first.
  const level = (mode: string) => ({ [`pod-security.kubernetes.io/${mode}`]: "privileged" });
  const labels = { ...level("enforce"), ...level("warn") };
  await api.create("/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, labels },
  });
  await eventually("an account for pods", () => api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`));
  await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "own", namespace },
  });
  // What was there before the policies.
  const old = workload("Deployment", { hostNetwork: true }, { replicas: 0 }, "old");
  await api.create(pathOf(old), old);
  const oldPod = {
    ...pod({ hostNetwork: true }),
    metadata: { name: "old", namespace, finalizers: ["shop.example/kept"] },
  };
  await api.create(pathOf(oldPod), oldPod);
  const taken = ingress({}, issuer, "www.taken.example");
  const oldIngress = { ...taken, metadata: { ...taken.metadata, name: "old", finalizers: ["shop.example/kept"] } };
  await api.create(pathOf(oldIngress), oldIngress);
  await bindClaim();
  const limits = {
    classes: ["kraft-standard", "kraft-bulk"],
    largest: largestOfTenant(tenantAllowance("small")),
    keepsAccounts: true,
  };
  const manifests = guestManifests(settings, "acme", ["acme.example"], limits);
  for (const document of parseAllDocuments(manifests["admission.yaml"] ?? "")) {
    const manifest = document.toJS() as KubernetesObject & { readonly kind: string };
    const plural = `${manifest.kind.toLowerCase().replace(/y$/, "ie")}s`;
    await api.apply(`${group}/${plural}/${manifest.metadata.name}`, manifest);
  }
  // A policy counts a moment after it is there, and each by itself.
  for (const refused of [
    workload("Deployment", { hostNetwork: true }),
    pod({ hostNetwork: true }),
    claim({ storageClassName: "longhorn" }),
    ingress({ ingressClassName: "nginx" }),
    service({ type: "NodePort" }),
    secret("bootstrap.kubernetes.io/token"),
    priorityClass("Never"),
  ]) {
    await eventually(`the policy on ${refused.kind}`, async () =>
      (await sent(refused)).status === 422 ? true : undefined,
    );
  }
  for (const [name, object] of dead) {
    await eventually(`the warning about ${name}`, async () =>
      (await warnings(object())).length > 0 ? true : undefined,
    );
  }
});

after(() => host.remove());

/** A claim that is bound, as K3k marks every one in a guest: only then does Kubernetes let it grow. */
async function bindClaim(): Promise<void> {
  const { api } = host.cluster;
  await api.create("/apis/storage.k8s.io/v1/storageclasses", {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "kraft-standard" },
    provisioner: "kubernetes.io/no-provisioner",
    allowVolumeExpansion: true,
  });
  await api.create("/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "data" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      storageClassName: "kraft-standard",
      claimRef: { name: "data", namespace },
      hostPath: { path: "/never-mounted" },
    },
  });
  await api.create(pathOf(claim()), claim());
  await eventually("a claim that is bound", async () => {
    const found = await api.get<{ status?: { phase?: string } }>(`${pathOf(claim())}/data`);
    return found?.status?.phase === "Bound" ? true : undefined;
  });
}

function service(more: object): Sent {
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }], ...more };
  return { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace }, spec };
}

function secret(type: string): Sent & { readonly type: string } {
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "token", namespace }, type };
}

function priorityClass(preemptionPolicy: string): Sent & { readonly preemptionPolicy: string; readonly value: number } {
  const metadata = { name: "batch", namespace: "" };
  return { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata, value: 1, preemptionPolicy };
}

function sent(object: Sent) {
  return host.cluster.api.answer("POST", pathOf(object), object);
}

/** The warnings that `kubectl apply` would print. */
function warnings(object: Sent): Promise<string[]> {
  const { server, certificateAuthority: ca, token } = host.cluster.api.access;
  const { hostname, port } = new URL(server);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const options = { hostname, port, ca, headers, method: "POST", path: `${pathOf(object)}?dryRun=All` };
  return new Promise((resolve, reject) => {
    const call = request(options, (answer) => {
      answer.resume();
      assert.equal(answer.statusCode, 201);
      resolve([answer.headers.warning ?? []].flat().filter((text) => text !== ""));
    });
    call.on("error", reject);
    call.end(JSON.stringify(object));
  });
}

const privileged = { containers: [container({ securityContext: { privileged: true } })] };
const folder = { volumes: [{ name: "node", hostPath: { path: "/" } }] };

/** What must be refused, and parts of the one message that says so. */
const refused: readonly (readonly [string, () => Sent, readonly string[]])[] = [
  ["a Deployment with a privileged container", () => workload("Deployment", privileged), ["may not be privileged"]],
  ["a StatefulSet with one", () => workload("StatefulSet", privileged), ["may not be privileged"]],
  ["a DaemonSet with one", () => workload("DaemonSet", privileged), ["may not be privileged"]],
  ["a Job with one", () => workload("Job", privileged), ["may not be privileged"]],
  ["a CronJob with one", () => workload("CronJob", privileged), ["may not be privileged"]],
  ["a ReplicaSet of the tenant's own with one", () => workload("ReplicaSet", privileged), ["may not be privileged"]],
  ["a ReplicationController with one", () => workload("ReplicationController", privileged), ["may not be privileged"]],
  ["a pod with one", () => pod(privileged), ["may not be privileged"]],
  [
    "a privileged init container",
    () =>
      workload("Deployment", {
        initContainers: [{ ...container({ securityContext: { privileged: true } }), name: "sysctl" }],
      }),
    ["may not be privileged", "vm.max_map_count"],
  ],
  [
    "a folder of the machine",
    () => workload("DaemonSet", folder),
    ["a volume may be one of", "none of these is: node; use a persistentVolumeClaim"],
  ],
  ["the machine's network", () => workload("Deployment", { hostNetwork: true }), ["hostNetwork"]],
  ["the machine's processes", () => workload("Deployment", { hostPID: true }), ["hostPID"]],
  [
    "a port of the machine",
    () => workload("Deployment", { containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] }),
    ["a hostPort is a port of the machine"],
  ],
  [
    "more capabilities",
    () =>
      workload("Deployment", {
        containers: [container({ securityContext: { capabilities: { add: ["NET_ADMIN"] } } })],
      }),
    ["capabilities.add may name only", "without CAP_ in front"],
  ],
  [
    "settings of the kernel",
    () => workload("Deployment", { securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "1" }] } }),
    ["securityContext.sysctls"],
  ],
  [
    "no seccomp",
    () => workload("Deployment", { securityContext: { seccompProfile: { type: "Unconfined" } } }),
    ["may only say RuntimeDefault"],
  ],
  [
    "no AppArmor in one container",
    () =>
      workload("Deployment", {
        containers: [container({ securityContext: { appArmorProfile: { type: "Unconfined" } } })],
      }),
    ["may only say RuntimeDefault"],
  ],
  [
    "a type of SELinux",
    () => workload("Deployment", { securityContext: { seLinuxOptions: { type: "spc_t" } } }),
    ["seLinuxOptions"],
  ],
  [
    "a probe of another host",
    () =>
      workload("Deployment", {
        containers: [container({ livenessProbe: { httpGet: { host: "192.168.1.1", port: 80 } } })],
      }),
    ["may not name a host"],
  ],
  [
    "a hook to another host",
    () =>
      workload("Deployment", {
        containers: [container({ lifecycle: { preStop: { httpGet: { host: "192.168.1.1", port: 80 } } } })],
      }),
    ["may not name a host"],
  ],
  [
    "a dnsConfig as Nextcloud's chart has it",
    () => workload("Deployment", { dnsConfig: { options: [] } }),
    ["without DNS", "remove dnsConfig"],
  ],
  [
    "keys of labels that the host would refuse in a copy",
    () =>
      workload("Deployment", {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "DoNotSchedule",
            labelSelector: { matchLabels: { app: "web" } },
            matchLabelKeys: ["pod-template-hash"],
          },
        ],
      }),
    ["matchLabelKeys"],
  ],
  [
    "more memory than there is",
    () => workload("Deployment", { containers: [container({ resources: { limits: { memory: "4097Mi" } } })] }),
    ["up to 4Gi of memory"],
  ],
  [
    "more memory than there is, in two containers",
    () =>
      workload("Deployment", {
        containers: [requests({ memory: "3Gi" }), { ...requests({ memory: "3Gi" }), name: "b" }],
      }),
    ["the containers of a pod may request as much together"],
  ],
  [
    "more memory than there is, for the pod as a whole",
    () => workload("Deployment", { resources: { requests: { memory: "6Gi" } } }),
    ["up to 4Gi of memory"],
  ],
  [
    "more CPU than there is",
    () => workload("Deployment", { containers: [requests({ cpu: "3" })] }),
    ["up to 2 of CPU together"],
  ],
  [
    "more CPU than there is as a limit, which counts as a request",
    () => workload("StatefulSet", { containers: [container({ resources: { limits: { cpu: "2001m" } } })] }),
    ["up to 2 of CPU together"],
  ],
  [
    "more CPU than there is in an init container",
    () => workload("Job", { initContainers: [{ ...requests({ cpu: "3" }), name: "first" }] }),
    ["up to 2 of CPU together"],
  ],
  [
    "more containers than there is CPU for where they say nothing",
    () =>
      workload("Deployment", {
        containers: Array.from({ length: 21 }, (_, index) => ({ ...container(), name: `c${index}` })),
      }),
    ["up to 2 of CPU together"],
  ],
  [
    "more of the node's disk than a container may have",
    () =>
      workload("Deployment", { containers: [container({ resources: { limits: { "ephemeral-storage": "6Gi" } } })] }),
    ["up to 5Gi beside its volumes"],
  ],
  [
    "keys of labels in an affinity that the host would refuse in a copy",
    () =>
      workload("Deployment", {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: {
                  topologyKey: "kubernetes.io/hostname",
                  labelSelector: { matchLabels: { app: "web" } },
                  matchLabelKeys: ["pod-template-hash"],
                },
              },
            ],
          },
        },
      }),
    ["pod affinity may not have matchLabelKeys"],
  ],
  [
    "a trust bundle, which the host does not have",
    () =>
      workload("Deployment", {
        volumes: [{ name: "ca", projected: { sources: [{ clusterTrustBundle: { name: "ca", path: "ca.crt" } }] } }],
      }),
    ["put a trust bundle or a certificate into a ConfigMap"],
  ],
  [
    "a volume that K3k takes for the account's token",
    () => workload("Deployment", { volumes: [{ name: "kube-api-access-mine", secret: { secretName: "mine" } }] }),
    ["would be replaced by the token", "rename it"],
  ],
  [
    "an account that K3k 1.1.0 leaves on the pod",
    () => workload("Deployment", { serviceAccountName: "own", automountServiceAccountToken: false }),
    ["does not start with this version of K3k"],
  ],
  [
    "the same in a pod",
    () => pod({ serviceAccountName: "own", automountServiceAccountToken: false }),
    ["does not start with this version of K3k"],
  ],
  [
    "a pod that may not preempt",
    () => workload("Deployment", { preemptionPolicy: "Never" }),
    ["preemptionPolicy: Never"],
  ],
  ["a class of pods that may not preempt", () => priorityClass("Never"), ["preemptionPolicy: Never", "remove it"]],
  ["a credential of the host", () => secret("bootstrap.kubernetes.io/token"), ["use another type, for example Opaque"]],
  [
    "a foreign class in a StatefulSet",
    () => workload("StatefulSet", {}, { volumeClaimTemplates: [claimTemplate({ storageClassName: "longhorn" })] }),
    ["storageClassName of volumeClaimTemplates must be one of kraft-standard, kraft-bulk"],
  ],
  [
    "a volume larger than all of the tenant's in a StatefulSet",
    () =>
      workload(
        "StatefulSet",
        {},
        { volumeClaimTemplates: [claimTemplate({ resources: { requests: { storage: "51Gi" } } })] },
      ),
    ["volumeClaimTemplates may ask for up to 50Gi"],
  ],
  [
    "a foreign class in an ephemeral volume",
    () =>
      workload("Deployment", {
        volumes: [
          { name: "scratch", ephemeral: { volumeClaimTemplate: claimTemplate({ storageClassName: "fast" }, false) } },
        ],
      }),
    ["storageClassName of an ephemeral volume"],
  ],
  [
    "a StatefulSet that chooses among volumes",
    () =>
      workload(
        "StatefulSet",
        {},
        { volumeClaimTemplates: [claimTemplate({ selector: { matchLabels: { disk: "a" } } })] },
      ),
    ["in volumeClaimTemplates, spec.selector would choose"],
  ],
  [
    "a StatefulSet that takes a volume and begins with a copy",
    () =>
      workload(
        "StatefulSet",
        {},
        {
          volumeClaimTemplates: [
            claimTemplate({ volumeName: "pv", dataSource: { kind: "PersistentVolumeClaim", name: "old" } }),
          ],
        },
      ),
    ["in volumeClaimTemplates, spec.volumeName", "in volumeClaimTemplates, spec.dataSource"],
  ],
  [
    "orders to Longhorn in an ephemeral volume",
    () => workload("Deployment", ephemeral({}, { labels: { "recurring-job.longhorn.io/source": "enabled" } })),
    ["in an ephemeral volume, labels and annotations of longhorn.io"],
  ],
  [
    "the old annotation for a class in an ephemeral volume",
    () => pod(ephemeral({}, { annotations: { "volume.beta.kubernetes.io/storage-class": "fast" } })),
    ["in an ephemeral volume, the annotation volume.beta.kubernetes.io/storage-class"],
  ],
  [
    "a foreign class in a claim",
    () => claim({ storageClassName: "longhorn" }),
    ["spec.storageClassName must be one of kraft-standard, kraft-bulk", "found longhorn"],
  ],
  [
    "annotations that only another cluster acts on",
    () =>
      ingress(
        {},
        {
          ...issuer,
          "traefik.ingress.kubernetes.io/router.middlewares": "default-login@kubernetescrd",
          "external-dns.alpha.kubernetes.io/target": "home.example",
          "kubernetes.io/tls-acme": "true",
        },
      ),
    ["router.middlewares", "a proxy of your own", "a CNAME record", "kraft-issuer asks for a certificate"],
  ],
  [
    "a claim larger than all of the tenant's",
    () => claim({ resources: { requests: { storage: "51Gi" } } }),
    ["a claim may ask for up to 50Gi"],
  ],
  ["a node port", () => service({ type: "NodePort" }), ["spec.type must be ClusterIP", "ask the operator for one"]],
  [
    "a list of addresses that only NGINX knows",
    () => ingress({}, { ...issuer, "nginx.ingress.kubernetes.io/whitelist-source-range": "192.0.2.0/24" }),
    ["whitelist-source-range: only NGINX knows these"],
  ],
  [
    "a password that only NGINX asks for",
    () => ingress({}, { ...issuer, "nginx.ingress.kubernetes.io/auth-type": "basic" }),
    ["auth-type: only NGINX knows these"],
  ],
  // Everything in one message.
  [
    "all that is wrong with a workload",
    () =>
      workload("Deployment", {
        ...folder,
        ...privileged,
        hostNetwork: true,
        dnsConfig: { options: [] },
        priorityClassName: "system-node-critical",
        tolerations: [{ operator: "Exists" }],
      }),
    [
      "a volume may be one of",
      "may not be privileged",
      "hostNetwork",
      "without DNS",
      "priorityClassName may not begin with system-",
      "a toleration without a key",
      ". Also: ",
    ],
  ],
  [
    "all that is wrong with an Ingress",
    () =>
      ingress(
        { ingressClassName: "nginx", tls: [{ hosts: ["www.blue.example"], secretName: "web" }] },
        {
          "cert-manager.io/cluster-issuer": "letsencrypt",
          "nginx.ingress.kubernetes.io/auth-url": "https://a.example",
        },
        "www.blue.example",
      ),
    [
      "not within your domains: www.blue.example",
      "needs a secretName that ends in -tls",
      "the only issuer here is kraft-issuer",
      "spec.ingressClassName must be traefik",
      "auth-url: only NGINX knows these",
    ],
  ],
];

function claimTemplate(more: object = {}, named = true): object {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more };
  return { ...(named && { metadata: { name: "data" } }), spec };
}

describe("refused at kubectl apply, with the way out", () => {
  for (const [name, object, parts] of refused) {
    test(name, async () => {
      const { status, message } = await sent(object());
      assert.equal(status, 422, message);
      for (const part of parts) {
        assert.ok(message.includes(part), message);
      }
    });
  }
});

const ofDeployment = {
  name: "old",
  namespace,
  ownerReferences: [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: "old",
      uid: "00000000-0000-4000-8000-000000000000",
      controller: true,
    },
  ],
};

const ofAccount = { name: "account", namespace, annotations: { "kubernetes.io/service-account.name": "default" } };

/** What must pass, without a warning. */
const honest: readonly (readonly [string, Sent])[] = [
  ...["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"].map(
    (kind) => [`a plain ${kind}`, workload(kind)] as const,
  ),
  ["a plain pod", pod()],
  ["a plain Ingress", ingress()],
  ["a plain ReplicaSet", workload("ReplicaSet")],
  [
    "the ReplicaSet of a Deployment from before the policies",
    { ...workload("ReplicaSet", { hostNetwork: true }), metadata: ofDeployment },
  ],
  ["a plain class of pods", priorityClass("PreemptLowerPriority")],
  ["the token of an account", { ...secret("kubernetes.io/service-account-token"), metadata: ofAccount }],
  ["a headless Service for addresses elsewhere", service({ selector: undefined, clusterIP: "None" })],
  [
    "a sticky session",
    {
      ...service({}),
      metadata: {
        name: "web",
        namespace,
        annotations: { "traefik.ingress.kubernetes.io/service.sticky.cookie.sameSite": "lax" },
      },
    },
  ],
  [
    "all that the tenant has in twenty containers that say nothing",
    workload("Deployment", {
      nodeSelector: { "kubernetes.io/os": "linux" },
      containers: Array.from({ length: 20 }, (_, index) => ({ ...container(), name: `c${index}` })),
    }),
  ],
  ["an account of one's own", workload("Deployment", { serviceAccountName: "own" })],
  ["an account of one's own in a pod", pod({ serviceAccountName: "own" })],
  ["no token of the default account", pod({ automountServiceAccountToken: false })],
  [
    "a token for another audience",
    workload("Deployment", {
      volumes: [
        { name: "vault", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "vault" } }] } },
      ],
    }),
  ],
  [
    "NGINX's annotations that restrict nothing",
    ingress({}, { ...issuer, "nginx.ingress.kubernetes.io/proxy-body-size": "4G" }),
  ],
  [
    "a claim of all that the tenant has",
    { ...claim({ resources: { requests: { storage: "50Gi" } } }), metadata: { name: "all", namespace } },
  ],
  [
    "a StatefulSet whose claims name no class",
    workload("StatefulSet", {}, { volumeClaimTemplates: [claimTemplate()] }),
  ],
  [
    "an ordinary container: root, a port below 1024, its own sysctl, a probe of itself",
    workload("Deployment", {
      securityContext: { fsGroup: 1000, sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
      dnsConfig: { nameservers: ["9.9.9.9"] },
      volumes: [
        { name: "tmp", emptyDir: { medium: "Memory" } },
        { name: "info", downwardAPI: { items: [] } },
      ],
      containers: [
        container({
          ports: [{ containerPort: 80 }],
          securityContext: {
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE", "CHOWN"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
          livenessProbe: { httpGet: { path: "/", port: 80 } },
          lifecycle: { preStop: { exec: { command: ["true"] } } },
          resources: { requests: { cpu: "100m", memory: "4Gi" }, limits: { memory: "4Gi" } },
        }),
      ],
    }),
  ],
  [
    // As K3s' manifest has it (manifests/coredns.yaml of 1.35).
    "K3s' own CoreDNS",
    workload(
      "Deployment",
      {
        priorityClassName: "system-cluster-critical",
        tolerations: [
          { key: "CriticalAddonsOnly", operator: "Exists" },
          { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
        ],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        containers: [
          container({
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { add: ["NET_BIND_SERVICE"], drop: ["all"] },
              readOnlyRootFilesystem: true,
            },
          }),
        ],
        dnsPolicy: "Default",
      },
      {},
      "coredns",
      "kube-system",
    ),
  ],
];

describe("allowed, without a word", () => {
  for (const [name, object] of honest) {
    test(name, async () => {
      const { status, message } = await sent(object);
      assert.equal(status, 201, message);
      assert.deepEqual(await warnings(object), []);
    });
  }
});

test("another Deployment that calls itself CoreDNS gets no priority by it", async () => {
  const { status } = await sent(
    workload("Deployment", { priorityClassName: "system-cluster-critical" }, {}, "coredns"),
  );
  assert.equal(status, 422);
});

test("a workload from before the policies can be scaled, and mended; made worse it cannot be", async () => {
  const { api } = host.cluster;
  const path = (collections["Deployment"] ?? "").replace("NS", namespace);
  const old = await api.get<{ spec: { replicas: number; template: { spec: Record<string, unknown> } } }>(`${path}/old`);
  assert.ok(old);
  const put = (spec: object) => api.answer("PUT", `${path}/old`, { ...old, spec });
  assert.equal((await put({ ...old.spec, replicas: 3 })).status, 200);
  const template = (more: object) => ({ ...old.spec.template, spec: { ...old.spec.template.spec, ...more } });
  assert.equal((await put({ ...old.spec, template: template({ hostNetwork: false }) })).status, 200);
  assert.equal((await put({ ...old.spec, template: template({ hostPID: true }) })).status, 422);
});

test("a pod from before the policies can be let go; made worse it cannot be", async () => {
  const { api } = host.cluster;
  const path = `${pathOf(pod())}/old`;
  const old = await api.get(path);
  assert.ok(old);
  const put = (metadata: object) => api.answer("PUT", path, { ...old, metadata: { ...old.metadata, ...metadata } });
  assert.equal((await put({ finalizers: [] })).status, 200);
  assert.equal((await put({ labels: { cluster: "acme", role: "server" } })).status, 422);
});

test("an Ingress whose domain was taken is not changed, and can be deleted: K3k takes its finalizer away", async () => {
  const { api } = host.cluster;
  const path = `${pathOf(ingress())}/old`;
  const put = async (metadata: object) => {
    const found = await api.get(path);
    assert.ok(found);
    return api.answer("PUT", path, { ...found, metadata: { ...found.metadata, ...metadata } });
  };
  const refused = await put({ finalizers: [] });
  assert.match(refused.message, /not within your domains: www\.taken\.example/);
  await api.delete(path);
  assert.equal((await put({ finalizers: [] })).status, 200);
});

test("a claim does not grow: the host's volume would stay as it is", async () => {
  const { api } = host.cluster;
  const path = (collections["PersistentVolumeClaim"] ?? "").replace("NS", namespace);
  const found = await api.get<{ spec: object }>(`${path}/data`);
  assert.ok(found);
  const sized = (storage: string) => ({ ...found, spec: { ...found.spec, resources: { requests: { storage } } } });
  const { message } = await api.answer("PUT", `${path}/data`, sized("2Gi"));
  assert.match(message, /a claim keeps the size that it was created with/);
  assert.equal((await api.answer("PUT", `${path}/data`, sized("1Gi"))).status, 200);
});

/** What is allowed, and part of the warning that comes with it. */
const dead: readonly (readonly [string, () => Sent, RegExp])[] = [
  ["no TLS", () => ingress({ tls: [] }), /does not answer before spec.tls names it.*www\.acme\.example/],
  ["no issuer", () => ingress({}, {}), /no certificate is issued without the annotation/],
  [
    "http alone",
    () => ingress({}, { ...issuer, "traefik.ingress.kubernetes.io/router.entrypoints": "web" }),
    /nothing answers, since http is sent on to https/,
  ],
  [
    "a host without paths",
    () => ingress({ rules: [{ host: "www.acme.example" }] }),
    /does not answer without paths: www\.acme\.example/,
  ],
  [
    "a pattern for a path",
    () => {
      const backend = { service: { name: "web", port: { number: 80 } } };
      const paths = [{ path: "/shop(.*)", pathType: "ImplementationSpecific", backend }];
      return ingress({ rules: [{ host: "www.acme.example", http: { paths } }] });
    },
    /not as patterns.*\/shop\(\.\*\); write plain paths/,
  ],
  [
    "paths that only NGINX rewrites",
    () => ingress({}, { ...issuer, "nginx.ingress.kubernetes.io/rewrite-target": "/$2" }),
    /only NGINX knows these, and here they do nothing: nginx\.ingress\.kubernetes\.io\/rewrite-target/,
  ],
  [
    "a Service without a selector",
    () => service({ selector: undefined }),
    /a Service without a selector leads nowhere here/,
  ],
  [
    "a choice of machine",
    () => workload("Deployment", { nodeSelector: { "kubernetes.io/hostname": "node-1" } }),
    /a nodeSelector only prefers a machine here/,
  ],
  [
    "a NetworkPolicy",
    () => ofKind("networking.k8s.io/v1", "NetworkPolicy", { podSelector: {} }),
    /NetworkPolicies have no effect here/,
  ],
  [
    "a PodDisruptionBudget",
    () => ofKind("policy/v1", "PodDisruptionBudget", { minAvailable: 1, selector: {} }),
    /counts inside your cluster only/,
  ],
  [
    "a PersistentVolume of the tenant's own",
    () =>
      ofKind("v1", "PersistentVolume", {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        nfs: { server: "192.0.2.1", path: "/data" },
      }),
    /write a PersistentVolumeClaim alone/,
  ],
];

function ofKind(apiVersion: string, kind: string, spec: Sent["spec"]): Sent {
  return { apiVersion, kind, metadata: { name: "web", namespace: kind === "PersistentVolume" ? "" : namespace }, spec };
}

describe("what does nothing here, or nobody gets an answer from, is allowed with a warning", () => {
  for (const [name, object, said] of dead) {
    test(name, async () => {
      assert.match((await warnings(object())).join(" "), said);
    });
  }
});

test("Traefik's own kinds, once a tenant has installed them, are allowed with a warning", async () => {
  const { api } = host.cluster;
  const names = { plural: "ingressroutes", singular: "ingressroute", kind: "IngressRoute" };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "ingressroutes.traefik.io" },
    spec: {
      group: "traefik.io",
      scope: "Namespaced",
      names,
      versions: [{ name: "v1alpha1", served: true, storage: true, schema }],
    },
  });
  const route = ofKind("traefik.io/v1alpha1", "IngressRoute", { routes: [] });
  await eventually("the kind", async () => ((await sent(route)).status === 201 ? true : undefined));
  assert.match((await warnings(route)).join(" "), /nothing answers by this, .*; write an Ingress/);
});

test("every expression is understood by the API server, for every kind that it is for", async () => {
  interface Policy extends KubernetesObject {
    readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] } };
  }
  const names = guestPolicies(settings, "acme", ["acme.example"]).map((policy) => policy.name);
  assert.ok(names.length > 10);
  for (const name of names) {
    const checked = await eventually(`the types in kraft-tenant-${name}`, async () => {
      const policy = await host.cluster.api.get<Policy>(`${group}/validatingadmissionpolicies/${name}`);
      return policy?.status?.typeChecking === undefined ? undefined : policy;
    });
    assert.deepEqual(checked.status?.typeChecking?.expressionWarnings ?? [], [], name);
  }
});
