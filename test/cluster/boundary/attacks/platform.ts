import { collectionPath } from "../paths.ts";
import { type KubernetesObject, synced } from "../translate.ts";
import { acme, type Attack, create, request } from "./attack.ts";

const core = "/api/v1/namespaces/k3k-acme";
const others = "/api/v1/namespaces/k3k-blue";
const ofThePlatform = "belongs to the platform";
const syncedName = "loot-shop-acme-6c6f6f742b73686f702b61636d65";

function inNamespace(
  kind: string,
  apiVersion: string,
  more: Record<string, unknown>,
  name = syncedName,
): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: "k3k-acme" }, ...more };
}

const clusterOwner = { apiVersion: "k3k.io/v1beta1", kind: "Cluster", name: "acme", uid: acme.uid };

/** What K3k's kubelet could do to the platform's objects in the tenant's namespace, by the rights that K3k gives it. */
const objectsOfThePlatform: readonly Attack[] = [
  request(
    "the guest's datastore deleted",
    "k3k-kubelet",
    "DELETE",
    `${core}/persistentvolumeclaims/varlibrancherk3s-k3k-acme-server-0`,
    ofThePlatform,
  ),
  request("the guest's token deleted", "k3k-kubelet", "DELETE", `${core}/secrets/k3k-acme-token`, ofThePlatform),
  request(
    "the guest's policies taken out of its addons",
    "k3k-kubelet",
    "DELETE",
    `${core}/secrets/acme-addons`,
    ofThePlatform,
  ),
  request("all secrets of the namespace deleted at once", "k3k-kubelet", "DELETE", `${core}/secrets`, ofThePlatform),
  request(
    "all claims of the namespace deleted at once",
    "k3k-kubelet",
    "DELETE",
    `${core}/persistentvolumeclaims`,
    ofThePlatform,
  ),
  request("the guest's server deleted", "k3k-kubelet", "DELETE", `${core}/pods/k3k-acme-server-0`, ofThePlatform),
  request(
    "the way to the guest's API deleted",
    "k3k-kubelet",
    "DELETE",
    `${core}/services/k3k-acme-service`,
    ofThePlatform,
  ),
  request(
    "the guest's server entered",
    "k3k-kubelet",
    "GET",
    `${core}/pods/k3k-acme-server-0/exec?command=sh&stdout=true`,
    ofThePlatform,
  ),
  request(
    "the guest's server attached to",
    "k3k-kubelet",
    "GET",
    `${core}/pods/k3k-acme-server-0/attach?stdout=true`,
    ofThePlatform,
  ),
  create(
    "a certificate of one's own making for another's host, in Traefik's one store",
    "k3k-kubelet",
    inNamespace("Secret", "v1", { type: "kubernetes.io/tls", data: { "tls.crt": "", "tls.key": "" } }, "web-tls"),
    ofThePlatform,
  ),
  create(
    "a Service in the place of the guest's API",
    "k3k-kubelet",
    inNamespace("Service", "v1", { spec: { ports: [{ port: 443 }] } }, "k3k-acme-api"),
    ofThePlatform,
  ),
  create(
    "a config map that is not the guest's",
    "k3k-kubelet",
    inNamespace("ConfigMap", "v1", { data: {} }, "settings"),
    ofThePlatform,
  ),
  create(
    "a pod that says a DaemonSet owns it",
    "k3k-kubelet",
    {
      ...synced(
        acme,
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: "x", namespace: "shop" },
          spec: { containers: [{ name: "x", image: "x:1" }] },
        },
        { priorityClass: "kraft-tenant" },
      ),
      metadata: {
        name: "x-shop-acme-782b73686f702b61636d65",
        namespace: "k3k-acme",
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "DaemonSet", name: "k3k-acme-kubelet", uid: acme.uid, controller: true },
        ],
      },
    },
    "an object that another controller owns may not be created",
  ),
  create(
    "a config map that nobody can remove, nor the namespace with it",
    "k3k-kubelet",
    {
      ...inNamespace("ConfigMap", "v1", { data: {} }),
      metadata: { name: syncedName, namespace: "k3k-acme", finalizers: ["example.com/forever"] },
    },
    "a finalizer would keep the platform from removing the object",
  ),
  create(
    "a Secret that the host fills with a token of K3k's kubelet",
    "k3k-kubelet",
    {
      ...inNamespace("Secret", "v1", { type: "kubernetes.io/service-account-token" }),
      metadata: {
        name: syncedName,
        namespace: "k3k-acme",
        annotations: { "kubernetes.io/service-account.name": "k3k-acme-kubelet" },
      },
    },
    "would be a credential of the host",
  ),
  create(
    "a priority class above everything",
    "k3k-kubelet",
    {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "first" },
      value: 1_000_000,
    },
    "priority classes of the host are the platform's",
  ),
  request(
    "the tenants' priority class deleted",
    "k3k-kubelet",
    "DELETE",
    "/apis/scheduling.k8s.io/v1/priorityclasses/kraft-tenant",
    "priority classes of the host are the platform's",
  ),
  request(
    "logs of everybody's pods by way of a node",
    "k3k-kubelet",
    "GET",
    "/api/v1/nodes/optiplex-1/proxy/containerLogs/k3k-blue/k3k-blue-server-0/k3k-blue-server",
    "of a node only stats/summary and metrics/resource may be read",
  ),
  request(
    "commands in everybody's pods by way of a node",
    "k3k-kubelet",
    "GET",
    "/api/v1/nodes/optiplex-1/proxy/run/k3k-blue/k3k-blue-server-0/k3k-blue-server?cmd=id",
    "of a node only stats/summary and metrics/resource may be read",
  ),
  request(
    "all pods of a node with their environment",
    "k3k-kubelet",
    "GET",
    "/api/v1/nodes/optiplex-1/proxy/pods",
    "of a node only stats/summary and metrics/resource may be read",
  ),
];

/** What no right of a tenant reaches at all. */
const beyondTheirRights: readonly Attack[] = [
  request(
    "the secrets of another tenant",
    "k3k-kubelet",
    "GET",
    `${others}/secrets`,
    'cannot list resource "secrets"',
    ["MTB-PL1-CC-TI-2"],
  ),
  request(
    "one secret of another tenant",
    "k3k-kubelet",
    "GET",
    `${others}/secrets/k3k-blue-token`,
    'cannot get resource "secrets"',
    ["MTB-PL1-CC-TI-2"],
  ),
  request("the pods of another tenant", "k3k-kubelet", "GET", `${others}/pods`, 'cannot list resource "pods"', [
    "MTB-PL1-CC-TI-2",
  ]),
  request(
    "the secrets of the whole cluster",
    "k3k-kubelet",
    "GET",
    "/api/v1/secrets",
    'cannot list resource "secrets"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  request(
    "the key to the backups",
    "k3k-kubelet",
    "GET",
    "/api/v1/namespaces/longhorn-system/secrets/wasabi-backup",
    'cannot get resource "secrets"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  request(
    "the volumes of the whole cluster",
    "k3k-kubelet",
    "GET",
    "/api/v1/persistentvolumes",
    'cannot list resource "persistentvolumes"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  request(
    "Longhorn's backups",
    "k3k-kubelet",
    "GET",
    "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups",
    'cannot list resource "backups"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  request(
    "the tenant's own quota lifted",
    "k3k-kubelet",
    "DELETE",
    `${core}/resourcequotas/k3k-tenant-acme`,
    'cannot delete resource "resourcequotas"',
    ["MTB-PL1-CC-TI-1"],
  ),
  request(
    "the tenant's own limits lifted",
    "k3k-kubelet",
    "DELETE",
    `${core}/limitranges/k3k-tenant-acme`,
    'cannot delete resource "limitranges"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  request(
    "the tenant's own network policies deleted",
    "k3k-kubelet",
    "DELETE",
    "/apis/networking.k8s.io/v1/namespaces/k3k-acme/networkpolicies/kraft-default-deny",
    'cannot delete resource "networkpolicies"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  create(
    "a network policy that allows everything",
    "k3k-kubelet",
    inNamespace("NetworkPolicy", "networking.k8s.io/v1", { spec: { podSelector: {}, egress: [{}] } }),
    'cannot create resource "networkpolicies"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  create(
    "a role of one's own making",
    "k3k-kubelet",
    inNamespace("Role", "rbac.authorization.k8s.io/v1", { rules: [] }),
    'cannot create resource "roles"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  create(
    "K3k's own rights for another account",
    "k3k-kubelet",
    inNamespace("RoleBinding", "rbac.authorization.k8s.io/v1", {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "k3k-acme-kubelet" },
      subjects: [],
    }),
    'cannot create resource "rolebindings"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  create(
    "every right there is",
    "k3k-kubelet",
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "x" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [],
    },
    'cannot create resource "clusterrolebindings"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  create(
    "a route past the rules for Ingresses",
    "k3k-kubelet",
    inNamespace("IngressRoute", "traefik.io/v1alpha1", {
      spec: { routes: [{ match: "PathPrefix(`/`)", kind: "Rule", services: [{ name: "web", port: 80 }] }] },
    }),
    'cannot create resource "ingressroutes"',
  ),
  create(
    "a TCP route over the platform's",
    "k3k-kubelet",
    inNamespace("IngressRouteTCP", "traefik.io/v1alpha1", {
      spec: { routes: [{ match: "HostSNI(`*`)", services: [{ name: "web", port: 80 }] }] },
    }),
    'cannot create resource "ingressroutetcps"',
  ),
  create(
    "a public port that nobody declared",
    "k3k-kubelet",
    inNamespace("IngressRouteTCP", "traefik.io/v1alpha1", {
      spec: {
        entryPoints: ["port-25565-tcp"],
        routes: [{ match: "HostSNI(`*`)", services: [{ name: syncedName, port: 25565 }] }],
      },
    }),
    'cannot create resource "ingressroutetcps"',
  ),
  create(
    "the public port of another tenant, UDP",
    "k3k-kubelet",
    inNamespace("IngressRouteUDP", "traefik.io/v1alpha1", {
      spec: { entryPoints: ["port-34197-udp"], routes: [{ services: [{ name: syncedName, port: 34197 }] }] },
    }),
    'cannot create resource "ingressrouteudps"',
  ),
  {
    name: "a public port led to another Service",
    as: "k3k-kubelet",
    method: "PUT",
    path: `${collectionPath("IngressRouteTCP", "k3k-acme")}/acme-port-25565-tcp`,
    object: inNamespace(
      "IngressRouteTCP",
      "traefik.io/v1alpha1",
      {
        spec: {
          entryPoints: ["port-25565-tcp"],
          routes: [{ match: "HostSNI(`*`)", services: [{ name: "k3k-acme-service", port: 443 }] }],
        },
      },
      "acme-port-25565-tcp",
    ),
    refusal: 'cannot update resource "ingressroutetcps"',
  },
  create(
    "a certificate asked for directly",
    "k3k-kubelet",
    inNamespace("Certificate", "cert-manager.io/v1", {
      spec: {
        secretName: "x-tls",
        dnsNames: ["www.blue.example"],
        issuerRef: { name: "kraft-issuer", kind: "ClusterIssuer" },
      },
    }),
    'cannot create resource "certificates"',
  ),
  create(
    "addresses of the home network behind one's own Service",
    "k3k-kubelet",
    inNamespace("EndpointSlice", "discovery.k8s.io/v1", {
      addressType: "IPv4",
      endpoints: [{ addresses: ["192.168.1.1"] }],
      ports: [],
    }),
    'cannot create resource "endpointslices"',
    ["CVE-2021-25740"],
  ),
  create(
    "a workload of the host's",
    "k3k-kubelet",
    inNamespace("DaemonSet", "apps/v1", {
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "x", image: "x:1" }] } },
      },
    }),
    'cannot create resource "daemonsets"',
  ),
  create(
    "a guest cluster in a mode that has privileged nodes",
    "k3k-kubelet",
    inNamespace("Cluster", "k3k.io/v1beta1", { spec: { mode: "virtual" } }, "acme2"),
    'cannot create resource "clusters"',
  ),
  create(
    "a namespace of one's own",
    "k3k-kubelet",
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } },
    'cannot create resource "namespaces"',
    ["MTB-PL1-CC-CPI-1"],
  ),
  create(
    "a volume on a node's disk",
    "k3k-kubelet",
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "disk" },
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/" } },
    },
    'cannot create resource "persistentvolumes"',
  ),
  create(
    "a storage class of one's own",
    "k3k-kubelet",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "mine" },
      provisioner: "driver.longhorn.io",
    },
    'cannot create resource "storageclasses"',
  ),
  request(
    "the boundary itself switched off",
    "k3k-kubelet",
    "DELETE",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/kraft-tenant-pods",
    'cannot delete resource "validatingadmissionpolicybindings"',
    ["MTB-PL1-BC-CPI-2"],
  ),
  request(
    "anything with the namespace's own service account",
    "tenant-default",
    "GET",
    `${core}/secrets`,
    'cannot list resource "secrets"',
    ["CIS 5.1.5"],
  ),
  request(
    "the pods of the namespace with its own service account",
    "tenant-default",
    "GET",
    `${core}/pods`,
    'cannot list resource "pods"',
    ["CIS 5.1.5"],
  ),
  request(
    "the nodes with the namespace's own service account",
    "tenant-default",
    "GET",
    "/api/v1/nodes",
    'cannot list resource "nodes"',
    ["CIS 5.1.5"],
  ),
];

/** Everything that goes past objects of the guest. */
export const platformAttacks: readonly Attack[] = [
  ...objectsOfThePlatform,
  ...beyondTheirRights,
  request(
    "a token for K3k's controller",
    "k3k-kubelet",
    "POST",
    "/api/v1/namespaces/k3k-system/serviceaccounts/k3k/token",
    'cannot create resource "serviceaccounts/token"',
    ["CIS 5.1.13"],
  ),
  create(
    "a config map that says a Cluster of another tenant owns it",
    "other-tenant",
    {
      ...inNamespace("ConfigMap", "v1", { data: {} }),
      metadata: { name: syncedName, namespace: "k3k-acme", ownerReferences: [clusterOwner] },
    },
    'cannot create resource "configmaps"',
    ["MTB-PL1-CC-TI-2"],
  ),
];
