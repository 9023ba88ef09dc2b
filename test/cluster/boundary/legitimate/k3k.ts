// What K3k's controller makes for a tenant, and what K3k's kubelet keeps for itself.
import { tenantNames } from "../../../../components/plan/names.ts";
import { limitRange, podQuota, tenantAllowance } from "../../../../components/plan/size.ts";
import { type KubernetesObject, type Metadata, type OwnerReference, safeConcatName } from "../translate.ts";
import { base64, type Host, type LegitimateObject, updateEntry } from "./entry.ts";
import { datastoreSpec, kubeletLabels, kubeletSpec, named, owned, serverLabels, serverSpec } from "./k3k-specs.ts";
import { workloads } from "./k3k-workloads.ts";

const policyUid = "7be0a3e2-1d36-4d0b-b7e1-4c4f3f0d5a90";

/** Everything of K3k's own in the tenant's namespace. */
export function k3kObjects(host: Host): LegitimateObject[] {
  return [...ofController(host), ...ofPolicy(host), ...workloads(host), ...ofKubelet(host)];
}

function ofController(host: Host): LegitimateObject[] {
  const entry = (name: string, file: string, object: KubernetesObject): LegitimateObject => ({
    name: `K3k's ${name}`,
    source: `k3k v1.1.0 pkg/controller/cluster/${file}`,
    as: "k3k-controller",
    object,
  });
  const secret = (role: string, key: string, value: string): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: owned(host, named(host, role)),
    data: { [key]: base64(value) },
  });
  const service = (role: string, spec: Record<string, unknown>): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: owned(host, named(host, role)),
    spec: { type: "ClusterIP", ...spec },
  });
  const serverPorts = [
    { name: "k3s-server-port", protocol: "TCP", port: 443, targetPort: 6443 },
    { name: "k3s-etcd-port", protocol: "TCP", port: 2379 },
  ];
  const kubelet = named(host, "kubelet");
  const rbac = "rbac.authorization.k8s.io";
  return [
    entry(
      "Service of the server",
      "server/service.go",
      service("service", { selector: serverLabels(host), ports: serverPorts }),
    ),
    entry(
      "headless Service of the server",
      "server/service.go",
      service("service-headless", { clusterIP: "None", selector: serverLabels(host), ports: serverPorts }),
    ),
    entry(
      "Service of the kubelets",
      "agent/shared.go",
      service("kubelet", {
        selector: kubeletLabels(host),
        ports: [{ name: "k3s-kubelet-port", protocol: "TCP", port: 10250 }],
      }),
    ),
    entry(
      "Service of the guest's DNS",
      "agent/shared.go",
      service("kube-dns", {
        selector: { "k3k.io/clusterName": host.cluster.name, "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", protocol: "UDP", port: 53, targetPort: 53 },
          { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53 },
          { name: "metrics", protocol: "TCP", port: 9153, targetPort: 9153 },
        ],
      }),
    ),
    entry(
      "first server's configuration",
      "server/config.go",
      secret("init-server-config", "config.yaml", "cluster-init: true\n"),
    ),
    entry("servers' configuration", "server/config.go", secret("server-config", "config.yaml", "cluster-init: true\n")),
    entry(
      "kubelets' configuration",
      "agent/shared.go",
      secret("agent-config", "config.yaml", "mirrorHostNodes: false\n"),
    ),
    entry("bootstrap data", "cluster.go", secret("bootstrap", "bootstrap", "{}")),
    entry("kubeconfig", "cluster.go", secret("kubeconfig", "kubeconfig.yaml", "apiVersion: v1\nkind: Config\n")),
    entry("service account of the kubelets", "agent/shared.go", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: owned(host, kubelet),
    }),
    entry("Role of the kubelets", "agent/shared.go", {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata: owned(host, kubelet),
      rules: kubeletRules,
    }),
    entry("RoleBinding of the kubelets", "agent/shared.go", {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: owned(host, kubelet),
      roleRef: { apiGroup: rbac, kind: "Role", name: kubelet },
      subjects: [{ kind: "ServiceAccount", name: kubelet, namespace: host.cluster.namespace }],
    }),
    entry("StatefulSet of the server", "server/server.go", {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: owned(host, named(host, "server"), { labels: serverLabels(host) }),
      spec: {
        replicas: 1,
        serviceName: named(host, "service-headless"),
        selector: { matchLabels: serverLabels(host) },
        template: { metadata: { labels: serverLabels(host) }, spec: serverSpec(host, "1.1.0") },
        volumeClaimTemplates: [{ metadata: owned(host, "varlibrancherk3s"), spec: datastoreSpec() }],
      },
    }),
    entry("DaemonSet of the kubelets", "agent/shared.go", {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: owned(host, kubelet, { labels: kubeletLabels(host) }),
      spec: {
        selector: { matchLabels: kubeletLabels(host) },
        template: { metadata: { labels: kubeletLabels(host) }, spec: kubeletSpec(host) },
      },
    }),
  ];
}

const kubeletRules = [
  {
    apiGroups: [""],
    resources: ["persistentvolumeclaims", "pods", "pods/log", "pods/attach", "pods/exec", "pods/ephemeralcontainers"],
    verbs: ["*"],
  },
  { apiGroups: [""], resources: ["secrets", "configmaps", "services"], verbs: ["*"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
  { apiGroups: [""], resources: ["resourcequotas"], verbs: ["get", "watch", "list"] },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["*"] },
  { apiGroups: ["k3k.io"], resources: ["clusters"], verbs: ["get", "watch", "list"] },
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["*"] },
];

/** What K3k's policy controller keeps in a namespace that is bound to a policy. Its NetworkPolicy Kraft switches off. */
function ofPolicy(host: Host): LegitimateObject[] {
  const { policy } = tenantNames(host.cluster.name);
  const owner: OwnerReference = {
    apiVersion: "k3k.io/v1beta1",
    kind: "VirtualClusterPolicy",
    name: policy,
    uid: policyUid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const metadata: Metadata = {
    name: safeConcatName("k3k", policy),
    namespace: host.cluster.namespace,
    labels: { "app.kubernetes.io/managed-by": "k3k-policy-controller", "policy.k3k.io/policy-name": policy },
    ownerReferences: [owner],
  };
  const allowance = tenantAllowance("small");
  const objects: readonly KubernetesObject[] = [
    { apiVersion: "v1", kind: "ResourceQuota", metadata, spec: podQuota(allowance) },
    { apiVersion: "v1", kind: "LimitRange", metadata, spec: { limits: limitRange(allowance) } },
  ];
  return objects.map((object) => ({
    name: `K3k's ${object.kind} of the policy`,
    source: "k3k v1.1.0 pkg/controller/policy",
    as: "k3k-controller",
    object,
  }));
}

/** What K3k's kubelet keeps in the namespace besides what it copies. */
function ofKubelet(host: Host): LegitimateObject[] {
  const lease: KubernetesObject = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: host.cluster.name, namespace: host.cluster.namespace },
    spec: {
      holderIdentity: "k3k-acme-kubelet-5k2zv_0f8f9a1e",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.000000Z",
    },
  };
  const source = "k3k v1.1.0 k3k-kubelet/kubelet.go, controller-runtime's leader election";
  return [
    { name: "the lease of K3k's kubelets", source, as: "k3k-kubelet", object: lease },
    updateEntry({
      name: "the lease of K3k's kubelets is renewed",
      source,
      as: "k3k-kubelet",
      before: lease,
      change: (existing) => ({
        ...existing,
        spec: { ...(existing["spec"] as Record<string, unknown>), renewTime: "2026-01-01T00:00:02.000000Z" },
      }),
    }),
  ];
}
