// Deletions that must go on, each by who really makes it. From sources and documentation, without a look at the policies.
import { datastore, synced } from "./objects.ts";

/** Service accounts that delete something where data is, and the operator. */
export const accounts = {
  "K3k's kubelet": ["k3k-acme", "k3k-acme-kubelet"],
  "K3k's controller": ["k3k-system", "k3k"],
  "cert-manager": ["cert-manager", "cert-manager"],
  "the namespace controller": ["kube-system", "namespace-controller"],
  "the garbage collector": ["kube-system", "generic-garbage-collector"],
  "the StatefulSet controller": ["kube-system", "statefulset-controller"],
  "the DaemonSet controller": ["kube-system", "daemon-set-controller"],
  "the Deployment controller": ["kube-system", "deployment-controller"],
  "the ReplicaSet controller": ["kube-system", "replicaset-controller"],
  "the pod garbage collector": ["kube-system", "pod-garbage-collector"],
  "the volume binder": ["kube-system", "persistent-volume-binder"],
} as const;

export type Who = keyof typeof accounts | "Longhorn" | "the operator";

/** A deletion that is let through: of one object, of all in a collection, or of one in a collection. */
export interface Honest {
  readonly who: Who;
  readonly what: string;
  readonly path: string;
  readonly source: string;
  /** The path is that of a collection, and one of it is deleted. */
  readonly one?: true;
}

const acme = "/api/v1/namespaces/k3k-acme";
const guests = "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters";
const longhorn = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system";
const policies = (namespace: string): string => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;

function by(who: Who, source: string, deletions: Readonly<Record<string, string>>): Honest[] {
  return Object.entries(deletions).map(([what, path]) => ({ who, what, path, source }));
}

function oneBy(...[who, source, deletions]: Parameters<typeof by>): Honest[] {
  return by(who, source, deletions).map((entry) => ({ ...entry, one: true }));
}

export const honest: readonly Honest[] = [
  ...by("the namespace controller", "Kubernetes v1.35 pkg/controller/namespace/deletion", {
    "the claims of a namespace that ends": `${acme}/persistentvolumeclaims`,
    "its secrets": `${acme}/secrets`,
    "its quotas": `${acme}/resourcequotas`,
    "its network policies": policies("k3k-acme"),
    "its guest cluster": guests,
    "its pods": `${acme}/pods`,
    "Longhorn's volumes": `${longhorn}/volumes`,
    "Longhorn's replicas": `${longhorn}/replicas`,
    "Longhorn's engines": `${longhorn}/engines`,
    "Longhorn's snapshots": `${longhorn}/snapshots`,
    "Longhorn's backups": `${longhorn}/backups`,
    "Longhorn's backup volumes": `${longhorn}/backupvolumes`,
    "Longhorn's backup targets": `${longhorn}/backuptargets`,
    "Longhorn's secrets": "/api/v1/namespaces/longhorn-system/secrets",
    "what is left in a platform's namespace": policies("traefik"),
  }),
  ...by("the garbage collector", "Kubernetes v1.35 pkg/controller/garbagecollector; owners: see objects.ts", {
    "the datastore's claim of a guest that is gone": `${acme}/persistentvolumeclaims/${datastore.claim}`,
    "a claim that K3k copied for a guest that is gone": `${acme}/persistentvolumeclaims/${synced.claim}`,
    "the claim of a pod's ephemeral volume": `${acme}/persistentvolumeclaims/${synced.scratch}`,
    "a secret that K3k copied": `${acme}/secrets/${synced.secret}`,
    "the StatefulSet of a guest that is gone": `/apis/apps/v1/namespaces/k3k-acme/statefulsets/${datastore.server}`,
    "the replica of a volume that is gone": `${longhorn}/replicas/pvc-1-r-0`,
    "its engine": `${longhorn}/engines/pvc-1-e-0`,
    "its snapshot": `${longhorn}/snapshots/hourly`,
    "the backup of a series that is gone": `${longhorn}/backups/backup-1`,
    "the series of a target that is gone": `${longhorn}/backupvolumes/pvc-1-abc`,
  }),
  ...by("K3k's kubelet", "k3k v1.1.0 k3k-kubelet/controller/syncer, provider/provider.go", {
    "a claim that the tenant deleted in the guest": `${acme}/persistentvolumeclaims/${synced.claim}`,
    "a secret": `${acme}/secrets/${synced.secret}`,
    "a config map": `${acme}/configmaps/${synced.configMap}`,
    "a service": `${acme}/services/${synced.service}`,
    "a pod": `${acme}/pods/${synced.pod}`,
  }),
  ...by("K3k's controller", "k3k v1.1.0 pkg/controller/policy/namespace.go, pkg/controller/cluster/cluster.go", {
    "the quota of another policy": `${acme}/resourcequotas?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dk3k-policy-controller`,
    "its own quota": `${acme}/resourcequotas/k3k-tenant-acme`,
    "its own limit range": `${acme}/limitranges/k3k-tenant-acme`,
    "the server's StatefulSet": `/apis/apps/v1/namespaces/k3k-acme/statefulsets/${datastore.server}`,
  }),
  ...by("Longhorn", "longhorn-manager v1.12 controller/*, app/recurring_job.go, csi/", {
    "a volume that its CSI driver is told to delete": `${longhorn}/volumes/pvc-1`,
    "a replica on another node than it is wanted on": `${longhorn}/replicas/pvc-1-r-0`,
    "the engine of a volume that goes": `${longhorn}/engines/pvc-1-e-0`,
    "an old snapshot": `${longhorn}/snapshots/hourly`,
    "an old backup": `${longhorn}/backups/backup-1`,
    "the series of a bucket that has it no more": `${longhorn}/backupvolumes/pvc-1-abc`,
    "an old backup of its own objects": `${longhorn}/systembackups/daily`,
    "the default target in its uninstallation": `${longhorn}/backuptargets/default`,
    "another target": `${longhorn}/backuptargets/old`,
    "the claim of a volume that goes": `${acme}/persistentvolumeclaims/${synced.claim}`,
    "a released PersistentVolume": "/api/v1/persistentvolumes/released",
    "its own storage class": "/apis/storage.k8s.io/v1/storageclasses/longhorn",
    "a job that nobody wants": `${longhorn}/recurringjobs/own`,
  }),
  ...by("cert-manager", "cert-manager v1.21 pkg/controller/certificates/keymanager, pkg/issuer/acme/http", {
    "a key that it does not use": `${acme}/secrets/shop-tls-next`,
    "a certificate that nobody asks for": `${acme}/secrets/shop-tls`,
  }),
  ...by("the StatefulSet controller", "Kubernetes v1.35 pkg/controller/statefulset", {
    "the guest's server, to start it anew": `${acme}/pods/${datastore.pod}`,
  }),
  ...oneBy("the DaemonSet controller", "Kubernetes v1.35 pkg/controller/daemon", {
    "a kubelet of K3k, for a newer one": `${acme}/pods?labelSelector=type%3Dagent`,
  }),
  ...oneBy("the Deployment controller", "Kubernetes v1.35 pkg/controller/deployment", {
    "an old ReplicaSet": "/apis/apps/v1/namespaces/cert-manager/replicasets",
  }),
  ...oneBy("the ReplicaSet controller", "Kubernetes v1.35 pkg/controller/replicaset", {
    "a pod of cert-manager that is too many": "/api/v1/namespaces/cert-manager/pods",
  }),
  ...oneBy("the pod garbage collector", "Kubernetes v1.35 pkg/controller/podgc", {
    "a pod of a node that is gone": `${acme}/pods`,
  }),
  ...by("the volume binder", "Kubernetes v1.35 pkg/controller/volume/persistentvolume", {
    "a PersistentVolume whose claim is gone": "/api/v1/persistentvolumes/released",
  }),
  ...by("the operator", "docs/", {
    "the pods of a suspended tenant": `${acme}/pods`,
    "what K3k copied, other than claims": `${acme}/secrets/${synced.secret}`,
    "certificates, for new ones": `${acme}/secrets/shop-tls`,
    "K3k's own secrets of a guest": `${acme}/secrets/k3k-acme-server-config`,
    "a claim of the operator's own": "/api/v1/namespaces/default/persistentvolumeclaims/own",
    "a quota of the operator's own": "/api/v1/namespaces/default/resourcequotas/own",
    "a network policy of the operator's own": `${policies("default")}/own`,
    "a namespace of the operator's own": "/api/v1/namespaces/own",
    "the namespace of the drills": "/api/v1/namespaces/kraft-drill",
    "a storage class of the operator's own": "/apis/storage.k8s.io/v1/storageclasses/own",
    "a PersistentVolume": "/api/v1/persistentvolumes/released",
    "the definition of a kind without data":
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/challenges.acme.cert-manager.io",
    "a secret beside the key to the backups": "/api/v1/namespaces/longhorn-system/secrets/note",
    "the key to a bucket that tenants moved from": "/api/v1/namespaces/longhorn-system/secrets/backup-source-old",
    "the target that tenants moved from": `${longhorn}/backuptargets/old`,
    "a setting of Longhorn's, which it makes anew": `${longhorn}/settings/log-level`,
    "a schedule": `${longhorn}/recurringjobs/own`,
    "K3k's controller, to start it anew": "/api/v1/namespaces/k3k-system/pods",
    "the API route of a tenant": "/apis/traefik.io/v1alpha1/namespaces/k3k-acme/ingressroutetcps/acme-api",
  }),
];

/** What the same accounts have every right to, and still may not: it is not their work. */
export const beyondTheirWork: readonly Omit<Honest, "source">[] = [
  {
    who: "Longhorn",
    what: "the definition of its backups",
    path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/backups.longhorn.io",
  },
  {
    who: "Longhorn",
    what: "a storage class of Kraft's",
    path: "/apis/storage.k8s.io/v1/storageclasses/kraft-standard",
  },
  { who: "K3k's controller", what: "a guest cluster", path: `${guests}/acme` },
  { who: "K3k's controller", what: "a tenant's namespace", path: acme },
  { who: "K3k's controller", what: "the datastore's claim", path: `${acme}/persistentvolumeclaims/${datastore.claim}` },
  { who: "K3k's controller", what: "a volume", path: `${longhorn}/volumes/pvc-1` },
  { who: "K3k's controller", what: "a network policy of Kraft's", path: `${policies("k3k-acme")}/kraft-default-deny` },
  { who: "K3k's kubelet", what: "the datastore's claim", path: `${acme}/persistentvolumeclaims/${datastore.claim}` },
  { who: "K3k's kubelet", what: "the guest's token", path: `${acme}/secrets/k3k-acme-token` },
  { who: "cert-manager", what: "the guest's token", path: `${acme}/secrets/k3k-acme-token` },
  {
    who: "the StatefulSet controller",
    what: "the datastore's claim",
    path: `${acme}/persistentvolumeclaims/${datastore.claim}`,
  },
  {
    who: "the garbage collector",
    what: "the guest's token, which nobody owns",
    path: `${acme}/secrets/k3k-acme-token`,
  },
  { who: "the garbage collector", what: "a volume, which nobody owns", path: `${longhorn}/volumes/pvc-1` },
  { who: "the garbage collector", what: "a guest cluster", path: `${guests}/acme` },
  {
    who: "the garbage collector",
    what: "a definition",
    path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusters.k3k.io",
  },
  { who: "the namespace controller", what: "a namespace itself", path: acme },
  {
    who: "the namespace controller",
    what: "a tenant's policy",
    path: "/apis/k3k.io/v1beta1/virtualclusterpolicies/tenant-acme",
  },
];
