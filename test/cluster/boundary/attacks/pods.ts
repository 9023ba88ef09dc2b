import { barePod, container } from "../legitimate/guest-pod.ts";
import { type Pod, synced } from "../translate.ts";
import { acme, type Attack, type Change, create, throughGuest } from "./attack.ts";

const honest = barePod("web", [container("web", "nginx:1.29")], { labels: { app: "web" }, token: true });

function pod(name: string, change: Change<Pod>, refusal: string, covers: readonly string[] = []): Attack {
  return throughGuest(name, honest, change, refusal, covers);
}

/** A pod that K3k's kubelet itself would have to be made to write: it has more rights than its syncer uses. */
function rawPod(name: string, change: Change<Pod>, refusal: string, covers: readonly string[] = []): Attack {
  const object = synced(acme, honest, { release: "1.1.0", priorityClass: "kraft-tenant" }) as Pod;
  change(object);
  return create(name, "k3k-kubelet", object, refusal, covers);
}

function securityContext(
  name: string,
  context: Record<string, unknown>,
  refusal: string,
  covers: readonly string[] = [],
): Attack {
  return pod(
    name,
    ({ spec }) => {
      spec.containers.forEach((each) => (each.securityContext = context));
    },
    refusal,
    covers,
  );
}

function volume(
  name: string,
  source: Record<string, unknown>,
  refusal: string,
  covers: readonly string[] = [],
): Attack {
  return pod(name, ({ spec }) => spec.volumes?.push({ name: "loot", ...source }), refusal, covers);
}

/** In a volume of this name K3k translates nothing; it takes away only the first. */
function untranslated(name: string, source: Record<string, unknown>, refusal: string): Attack {
  return pod(name, ({ spec }) => spec.volumes?.push({ name: "kube-api-access-loot", ...source }), refusal);
}

function toleration(name: string, tolerated: Record<string, string>, refusal: string): Attack {
  return pod(name, ({ spec }) => spec.tolerations?.push(tolerated), refusal);
}

const podSecurity = 'violates PodSecurity "baseline:latest"';
const otherStorage = "a volume may be one of";
const notSynced = "a volume may use secrets, config maps and claims of the guest";
const priority = "priorityClassName may not begin with system-";
const ownPriority = "a tenant's pod has the priority class kraft-tenant on the host";
const ofPlatform = "taints of kraft.dev/ and CriticalAddonsOnly keep nodes to the platform";

/** Ways out of a pod: onto the node, into another's secrets, ahead of others, past the network's rules. */
export const podAttacks: readonly Attack[] = [
  securityContext("a privileged container", { privileged: true }, podSecurity, ["MTB-PL1-BC-CPI-5", "CIS 5.2.2"]),
  securityContext("the capability to administer the node", { capabilities: { add: ["SYS_ADMIN"] } }, podSecurity, [
    "MTB-PL1-BC-CPI-3",
  ]),
  securityContext("the capability to write network packets", { capabilities: { add: ["NET_RAW"] } }, podSecurity, [
    "MTB-PL1-BC-CPI-3",
  ]),
  pod(
    "an unmasked /proc",
    ({ spec }) => {
      spec["hostUsers"] = false;
      spec.containers.forEach((each) => (each.securityContext = { procMount: "Unmasked" }));
    },
    "securityContext.procMount must be Default",
  ),
  securityContext("no seccomp", { seccompProfile: { type: "Unconfined" } }, podSecurity),
  pod(
    "no AppArmor",
    ({ metadata }) => (metadata.annotations = { "container.apparmor.security.beta.kubernetes.io/web": "unconfined" }),
    podSecurity,
  ),
  pod(
    "a profile of the node's own programs in place of the runtime's",
    ({ spec }) => {
      spec["securityContext"] = { appArmorProfile: { type: "Localhost", localhostProfile: "flatpak" } };
    },
    "seccompProfile and appArmorProfile may only say RuntimeDefault",
  ),
  pod(
    "the same by the annotation of before Kubernetes 1.30",
    ({ metadata }) =>
      (metadata.annotations = { "container.apparmor.security.beta.kubernetes.io/web": "localhost/flatpak" }),
    "seccompProfile and appArmorProfile may only say RuntimeDefault",
  ),
  pod(
    "memory that was never asked for, and to be ended after all neighbours",
    (object) => (object["status"] = { qosClass: "Guaranteed" }),
    "status.qosClass may not say Guaranteed",
  ),
  pod(
    "the same, with one container that requests all of its limits",
    (object) => {
      const all = { cpu: "100m", memory: "128Mi" };
      object.spec.containers.push({ name: "second", image: "x:1", resources: { requests: all, limits: all } });
      object["status"] = { qosClass: "Guaranteed" };
    },
    "status.qosClass may not say Guaranteed",
  ),
  pod(
    "an SELinux type of the node's",
    ({ spec }) => (spec["securityContext"] = { seLinuxOptions: { type: "spc_t" } }),
    podSecurity,
  ),
  pod(
    "a kernel setting of the whole node",
    ({ spec }) => (spec["securityContext"] = { sysctls: [{ name: "kernel.msgmax", value: "1" }] }),
    podSecurity,
  ),
  pod("the network of the node", ({ spec }) => (spec["hostNetwork"] = true), podSecurity, ["MTB-PL1-BC-HI-3"]),
  pod(
    "a port of the node",
    ({ spec }) => {
      spec.containers.forEach((each) => (each["ports"] = [{ containerPort: 80, hostPort: 443 }]));
    },
    podSecurity,
    ["MTB-PL1-BC-HI-3"],
  ),
  pod("the processes of the node", ({ spec }) => (spec["hostPID"] = true), podSecurity, ["MTB-PL1-BC-HI-4"]),
  pod("the shared memory of the node", ({ spec }) => (spec["hostIPC"] = true), podSecurity, ["MTB-PL1-BC-HI-5"]),
  volume("a folder of the node", { hostPath: { path: "/" } }, "hostPath", ["MTB-PL1-BC-HI-1"]),
  volume("Longhorn's folder with everybody's volumes", { hostPath: { path: "/var/lib/longhorn" } }, "hostPath", [
    "MTB-PL1-BC-HI-1",
  ]),
  volume(
    "the home's NAS, mounted by the node past all network policies",
    { nfs: { server: "192.168.1.5", path: "/" } },
    otherStorage,
  ),
  volume(
    "a disk over iSCSI, mounted by the node",
    { iscsi: { targetPortal: "192.168.1.5", iqn: "iqn.2020-01.lan:a", lun: 0 } },
    otherStorage,
  ),
  volume(
    "a Longhorn volume of another's, by its driver",
    { csi: { driver: "driver.longhorn.io", volumeAttributes: { volume: "pvc-of-blue" } } },
    otherStorage,
  ),
  volume(
    "a share of the home network",
    { flexVolume: { driver: "lan/cifs", options: { networkPath: "//192.168.1.5/home" } } },
    otherStorage,
  ),
  volume("a block device of Ceph", { rbd: { monitors: ["192.168.1.5"], image: "blue" } }, otherStorage),
  untranslated(
    "the guest's K3s token by its name on the host",
    { secret: { secretName: "k3k-acme-token" } },
    notSynced,
  ),
  untranslated(
    "the guest's certificate authority by its name on the host",
    { secret: { secretName: "k3k-acme-bootstrap" } },
    notSynced,
  ),
  untranslated("cert-manager's key for a certificate", { secret: { secretName: "web-tls" } }, notSynced),
  untranslated(
    "the datastore of the guest",
    { persistentVolumeClaim: { claimName: "varlibrancherk3s-k3k-acme-server-0" } },
    notSynced,
  ),
  untranslated("a config map of the host", { configMap: { name: "kube-root-ca.crt" } }, notSynced),
  untranslated(
    "a secret of the host in a projected volume",
    { projected: { sources: [{ secret: { name: "k3k-acme-kubeconfig" } }] } },
    "a projected volume may use secrets and config maps of the guest",
  ),
  untranslated(
    "a token of the host",
    { projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
    "a volume may not hold a token",
  ),
  untranslated(
    "a token of the host for somebody else's audience",
    {
      projected: {
        sources: [{ serviceAccountToken: { path: "token", audience: "sts.amazonaws.com", expirationSeconds: 3600 } }],
      },
    },
    "a volume may not hold a token",
  ),
  volume(
    "the host's trust bundle",
    { projected: { sources: [{ clusterTrustBundle: { name: "x", path: "ca.pem" } }] } },
    "a volume may not hold a token",
  ),
  rawPod(
    "K3k's own service account, with its rights on the whole namespace",
    ({ spec }) => (spec.serviceAccountName = "k3k-acme-kubelet"),
    "a pod may not run as a service account of the host",
  ),
  rawPod(
    "the same by the field's old name",
    ({ spec }) => (spec.serviceAccount = "k3k-acme-kubelet"),
    "a pod may not run as a service account of the host",
  ),
  pod(
    "K3k's own service account from within the guest, as release 1.1.0 copies it",
    ({ spec }) => {
      spec.serviceAccountName = "k3k-acme-kubelet";
      spec.serviceAccount = "k3k-acme-kubelet";
      spec.automountServiceAccountToken = false;
      spec.volumes = [];
      spec.containers.forEach((each) => (each.volumeMounts = []));
    },
    "a pod may not run as a service account of the host",
  ),
  rawPod(
    "the token of the namespace's own service account",
    ({ spec }) => {
      spec.automountServiceAccountToken = true;
      spec.volumes = [];
      spec.containers.forEach((each) => (each.volumeMounts = []));
    },
    "a volume may not hold a token",
  ),
  rawPod(
    "a secret of the host in the environment",
    ({ spec }) => {
      spec.containers.forEach((each) =>
        each.env?.push({ name: "T", valueFrom: { secretKeyRef: { name: "k3k-acme-token", key: "token" } } }),
      );
    },
    "the environment of a container may come from secrets and config maps of the guest only",
  ),
  rawPod(
    "all of a secret of the host in the environment of an init container",
    ({ spec }) =>
      (spec.initContainers = [
        container("init", "busybox:1.37", { envFrom: [{ secretRef: { name: "k3k-acme-bootstrap" } }] }),
      ]),
    "the environment of a container may come from secrets and config maps of the guest only",
  ),
  rawPod(
    "a config map of the host in the environment",
    ({ spec }) => {
      spec.containers.forEach((each) =>
        each.env?.push({ name: "C", valueFrom: { configMapKeyRef: { name: "kube-root-ca.crt", key: "ca.crt" } } }),
      );
    },
    "the environment of a container may come from secrets and config maps of the guest only",
  ),
  rawPod(
    "a registry's credentials of the host",
    ({ spec }) => (spec.imagePullSecrets = [{ name: "k3k-acme-token" }]),
    "imagePullSecrets may name secrets of the guest only",
  ),
  pod("precedence over every tenant", ({ spec }) => (spec.priorityClassName = "system-cluster-critical"), priority),
  pod(
    "precedence over Traefik and Longhorn",
    ({ spec }) => (spec.priorityClassName = "system-node-critical"),
    priority,
  ),
  pod(
    "precedence, as a pod called like CoreDNS in a namespace of one's own",
    ({ metadata, spec }) => {
      metadata.name = "coredns-x";
      spec.priorityClassName = "system-cluster-critical";
    },
    priority,
  ),
  pod(
    "precedence, as a very small pod called like CoreDNS in kube-system",
    ({ metadata, spec }) => {
      metadata.name = "coredns-x";
      metadata.namespace = "kube-system";
      spec.priorityClassName = "system-cluster-critical";
      spec.containers.forEach((each) => (each["resources"] = { requests: { cpu: "1m", memory: "1Mi" } }));
    },
    "must be as K3s makes it",
  ),
  rawPod("Longhorn's own class", ({ spec }) => (spec.priorityClassName = "longhorn-critical"), ownPriority),
  rawPod("no class, to count in the share that is K3k's", ({ spec }) => delete spec.priorityClassName, ownPriority),
  toleration("nodes of every kind", { operator: "Exists" }, "a toleration without a key"),
  toleration(
    "nodes that the operator keeps to the platform",
    { key: "kraft.dev/platform", operator: "Exists" },
    ofPlatform,
  ),
  toleration("nodes kept for critical workloads", { key: "CriticalAddonsOnly", operator: "Exists" }, ofPlatform),
  pod(
    "nodes that take nobody else's pods any more",
    ({ spec }) =>
      (spec.affinity = {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: {}, namespaceSelector: {}, topologyKey: "kubernetes.io/hostname" },
          ],
        },
      }),
    "pod affinity may not name namespaces",
  ),
  pod(
    "nodes that take no more Traefik",
    ({ spec }) =>
      (spec.affinity = {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: { labelSelector: {}, namespaces: ["traefik"], topologyKey: "kubernetes.io/hostname" },
            },
          ],
        },
      }),
    "pod affinity may not name namespaces",
  ),
  rawPod(
    "a node of one's choice, past the scheduler",
    ({ spec }) => (spec.nodeName = "optiplex-1"),
    "spec.nodeName would pass by the scheduler",
  ),
  pod(
    "a scheduler of one's own",
    ({ spec }) => (spec["schedulerName"] = "mine"),
    "spec.schedulerName must be default-scheduler",
  ),
  pod(
    "another runtime",
    ({ spec }) => (spec["runtimeClassName"] = "of-the-operator"),
    "spec.runtimeClassName is not allowed",
  ),
  pod(
    "a device of the node",
    ({ spec }) => (spec["resourceClaims"] = [{ name: "gpu", resourceClaimName: "gpu" }]),
    "spec.resourceClaims is not allowed",
  ),
  pod(
    "the labels of K3k's kubelet, to reach the host's API server",
    ({ metadata }) => (metadata.labels = { cluster: "acme", type: "agent", mode: "shared" }),
    "are those of K3k's own pods",
  ),
  pod(
    "the labels of the guest's server, to answer in its place",
    ({ metadata }) => (metadata.labels = { cluster: "acme", role: "server" }),
    "are those of K3k's own pods",
  ),
  pod(
    "more memory than the tenant has",
    ({ spec }) => {
      spec.containers.forEach((each) => (each["resources"] = { limits: { memory: "5Gi" } }));
    },
    "maximum memory usage per Container is 4Gi",
    ["MTB-PL1-CC-FNS-1"],
  ),
  pod(
    "more CPU than the tenant has",
    ({ spec }) => {
      spec.containers.forEach((each) => (each["resources"] = { requests: { cpu: "3" } }));
    },
    "exceeded quota: k3k-tenant-acme",
    ["MTB-PL1-CC-FNS-1"],
  ),
  pod(
    "the node's own disk",
    ({ spec }) => {
      spec.containers.forEach((each) => (each["resources"] = { limits: { "ephemeral-storage": "50Gi" } }));
    },
    "maximum ephemeral-storage usage per Container is 5Gi",
  ),
];
