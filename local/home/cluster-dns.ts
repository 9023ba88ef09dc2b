import type { KubernetesObject } from "../../cluster/objects.ts";
import { coreDnsImage } from "../images/images.ts";

/** An object, and the path that it is applied at. */
export interface Applied {
  readonly path: string;
  readonly object: KubernetesObject & Readonly<Record<string, unknown>>;
}

const namespace = "kube-system";
const name = "coredns";

/** The label by which the platform's network policies know the host's DNS (`toClusterDns`), and its Service finds it. */
const labels = { "k8s-app": "kube-dns" } as const;

/** Port of `/health` and port of `/ready` in the pod. */
const ports = { health: 8080, ready: 8181 } as const;

function corefile(resolvers: readonly string[]): string {
  return `.:53 {
    errors
    health :${ports.health} {
        lameduck 2s
    }
    ready :${ports.ready}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . ${resolvers.join(" ")}
    cache 30
    loop
    reload
    loadbalance
}
`;
}

function applied(path: string, object: Applied["object"]): Applied {
  return { path, object };
}

/**
 * The DNS of the host cluster, which on real machines k3s and Talos bring along. The kubelets write its Service's address
 * into every pod; the names of the cluster are answered by it, all others by the resolvers.
 *
 * @param address The Service's address: `network.clusterDns` of the stack.
 * @param resolvers Addresses of the name servers that the nodes themselves ask.
 */
export function clusterDns(address: string, resolvers: readonly string[]): readonly Applied[] {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const role = "kraft:coredns";
  const core = `/api/v1/namespaces/${namespace}`;
  const container = {
    name,
    image: coreDnsImage,
    imagePullPolicy: "IfNotPresent",
    args: ["-conf", "/etc/coredns/Corefile"],
    resources: { requests: { cpu: "50m", memory: "48Mi" }, limits: { memory: "170Mi" } },
    ports: [
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
    ],
    readinessProbe: { httpGet: { path: "/ready", port: ports.ready }, periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { httpGet: { path: "/health", port: ports.health }, initialDelaySeconds: 30, timeoutSeconds: 5 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      // It is root so that the capability is there: port 53 is a privileged one.
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
  };
  const pod = {
    serviceAccountName: name,
    priorityClassName: "system-cluster-critical",
    // A node's own name servers: the cluster's would be itself.
    dnsPolicy: "Default",
    tolerations: [
      { key: "CriticalAddonsOnly", operator: "Exists" },
      { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
    ],
    containers: [container],
    volumes: [{ name: "config", configMap: { name, items: [{ key: "Corefile", path: "Corefile" }] } }],
  };
  return [
    applied(`${core}/serviceaccounts/${name}`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace, labels },
    }),
    applied(`${rbac}/clusterroles/${role}`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: role },
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    }),
    applied(`${rbac}/clusterrolebindings/${role}`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
    applied(`${core}/configmaps/${name}`, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace, labels },
      data: { Corefile: corefile(resolvers) },
    }),
    applied(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace, labels },
      spec: {
        replicas: 1,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod },
      },
    }),
    applied(`${core}/services/kube-dns`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "kube-dns",
        namespace,
        labels: { ...labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
      },
      spec: {
        selector: labels,
        clusterIP: address,
        ports: [
          { name: "dns", port: 53, targetPort: "dns", protocol: "UDP" },
          { name: "dns-tcp", port: 53, targetPort: "dns-tcp", protocol: "TCP" },
        ],
      },
    }),
  ];
}
