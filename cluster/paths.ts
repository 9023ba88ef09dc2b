import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import type * as objects from "./objects.ts";

declare const kind: unique symbol;

/** A path of the API that knows the kind of its objects: `host.list(paths.volumes.all)` gives volumes. */
export type Path<Kind> = string & { readonly [kind]?: Kind };

/** Objects that are in no namespace, or always in the same one. */
function clusterWide<Kind>(collection: string) {
  return {
    all: collection as Path<Kind>,
    named: (name: string): Path<Kind> => `${collection}/${given(name)}`,
  };
}

function namespaced<Kind>(group: string, plural: string) {
  const within = (namespace: string): Path<Kind> => `${group}/namespaces/${given(namespace)}/${plural}`;
  return {
    all: `${group}/${plural}` as Path<Kind>,
    in: within,
    named: (namespace: string, name: string): Path<Kind> => `${within(namespace)}/${given(name)}`,
  };
}

function longhorn<Kind>(plural: string) {
  return clusterWide<Kind>(`/apis/longhorn.io/v1beta2/namespaces/${platformNamespaces.longhorn}/${plural}`);
}

/** An empty name would make an object's path that of its whole collection. */
function given(name: string): string {
  if (name === "") {
    throw new Error("an object's path needs its name");
  }
  return name;
}

/** Where the objects of each kind are. */
export const paths = {
  namespaces: clusterWide<objects.Namespace>("/api/v1/namespaces"),
  nodes: clusterWide<objects.Node>("/api/v1/nodes"),
  persistentVolumes: clusterWide<objects.PersistentVolume>("/api/v1/persistentvolumes"),
  storageClasses: clusterWide<objects.StorageClass>("/apis/storage.k8s.io/v1/storageclasses"),
  customResourceDefinitions: clusterWide("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
  issuers: clusterWide<objects.ClusterIssuer>("/apis/cert-manager.io/v1/clusterissuers"),

  claims: namespaced<objects.Claim>("/api/v1", "persistentvolumeclaims"),
  ingresses: namespaced<objects.Ingress>("/apis/networking.k8s.io/v1", "ingresses"),
  configMaps: namespaced<objects.ConfigMap>("/api/v1", "configmaps"),
  pods: namespaced<objects.Pod>("/api/v1", "pods"),
  quotas: namespaced<objects.ResourceQuota>("/api/v1", "resourcequotas"),
  secrets: namespaced<objects.Secret>("/api/v1", "secrets"),
  daemonSets: namespaced<objects.DaemonSet>("/apis/apps/v1", "daemonsets"),
  deployments: namespaced<objects.Deployment>("/apis/apps/v1", "deployments"),
  statefulSets: namespaced<objects.StatefulSet>("/apis/apps/v1", "statefulsets"),
  controllerRevisions: namespaced<objects.ControllerRevision>("/apis/apps/v1", "controllerrevisions"),
  certificates: namespaced<objects.Certificate>("/apis/cert-manager.io/v1", "certificates"),
  challenges: namespaced<objects.Challenge>("/apis/acme.cert-manager.io/v1", "challenges"),
  orders: namespaced<objects.Order>("/apis/acme.cert-manager.io/v1", "orders"),
  clusters: namespaced<objects.Cluster>("/apis/k3k.io/v1beta1", "clusters"),

  backups: longhorn<objects.Backup>("backups"),
  backupTargets: longhorn<objects.BackupTarget>("backuptargets"),
  backupVolumes: longhorn<objects.BackupVolume>("backupvolumes"),
  engines: longhorn<objects.Engine>("engines"),
  longhornNodes: longhorn<objects.LonghornNode>("nodes"),
  recurringJobs: longhorn<objects.RecurringJob>("recurringjobs"),
  settings: longhorn<objects.Setting>("settings"),
  snapshots: longhorn<objects.Snapshot>("snapshots"),
  volumes: longhorn<objects.Volume>("volumes"),
} as const;

/** Those of a collection with all of these labels: `name`, or `name=value`. */
export function labelled<Kind>(collection: Path<Kind>, ...labels: readonly string[]): Path<Kind> {
  return `${collection}?labelSelector=${encodeURIComponent(labels.join(","))}`;
}

/** Those of a collection with a name, in whatever namespace. */
export function namedEverywhere<Kind>(collection: Path<Kind>, name: string): Path<Kind> {
  return `${collection}?fieldSelector=metadata.name%3D${name}`;
}
