/** Where the API server keeps the objects of a kind: the group's path, and the name of the collection. */
const collections: Readonly<Record<string, readonly [group: string, plural: string, clusterWide?: true]>> = {
  CertificateRequest: ["/apis/cert-manager.io/v1", "certificaterequests"],
  Certificate: ["/apis/cert-manager.io/v1", "certificates"],
  Challenge: ["/apis/acme.cert-manager.io/v1", "challenges"],
  Cluster: ["/apis/k3k.io/v1beta1", "clusters"],
  ClusterRoleBinding: ["/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", true],
  ConfigMap: ["/api/v1", "configmaps"],
  ControllerRevision: ["/apis/apps/v1", "controllerrevisions"],
  DaemonSet: ["/apis/apps/v1", "daemonsets"],
  Deployment: ["/apis/apps/v1", "deployments"],
  Endpoints: ["/api/v1", "endpoints"],
  EndpointSlice: ["/apis/discovery.k8s.io/v1", "endpointslices"],
  Event: ["/api/v1", "events"],
  Ingress: ["/apis/networking.k8s.io/v1", "ingresses"],
  IngressRoute: ["/apis/traefik.io/v1alpha1", "ingressroutes"],
  IngressRouteTCP: ["/apis/traefik.io/v1alpha1", "ingressroutetcps"],
  IngressRouteUDP: ["/apis/traefik.io/v1alpha1", "ingressrouteudps"],
  Issuer: ["/apis/cert-manager.io/v1", "issuers"],
  Lease: ["/apis/coordination.k8s.io/v1", "leases"],
  LimitRange: ["/api/v1", "limitranges"],
  Middleware: ["/apis/traefik.io/v1alpha1", "middlewares"],
  Namespace: ["/api/v1", "namespaces", true],
  NetworkPolicy: ["/apis/networking.k8s.io/v1", "networkpolicies"],
  Order: ["/apis/acme.cert-manager.io/v1", "orders"],
  PersistentVolume: ["/api/v1", "persistentvolumes", true],
  PersistentVolumeClaim: ["/api/v1", "persistentvolumeclaims"],
  Pod: ["/api/v1", "pods"],
  PriorityClass: ["/apis/scheduling.k8s.io/v1", "priorityclasses", true],
  ResourceQuota: ["/api/v1", "resourcequotas"],
  Role: ["/apis/rbac.authorization.k8s.io/v1", "roles"],
  RoleBinding: ["/apis/rbac.authorization.k8s.io/v1", "rolebindings"],
  Secret: ["/api/v1", "secrets"],
  Service: ["/api/v1", "services"],
  ServiceAccount: ["/api/v1", "serviceaccounts"],
  StatefulSet: ["/apis/apps/v1", "statefulsets"],
  StorageClass: ["/apis/storage.k8s.io/v1", "storageclasses", true],
  ValidatingAdmissionPolicyBinding: [
    "/apis/admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings",
    true,
  ],
  VirtualClusterPolicy: ["/apis/k3k.io/v1beta1", "virtualclusterpolicies", true],
  Volume: ["/apis/longhorn.io/v1beta2", "volumes"],
};

/** The path of a kind's collection, in a namespace where it has one. */
export function collectionPath(kind: string, namespace = ""): string {
  const found = collections[kind];
  if (found === undefined) {
    throw new Error(`test/cluster/boundary/paths.ts does not know ${kind}`);
  }
  const [group, plural, clusterWide] = found;
  return clusterWide === true ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;
}
