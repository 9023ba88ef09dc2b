// Volume claims of a guest, as its API server stores them when K3k's syncer sees them.
import type { KubernetesObject } from "../translate.ts";
import { type GuestWork, type Host, type LegitimateObject, syncedObjects } from "./entry.ts";

type AccessMode = "ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOnce" | "ReadWriteOncePod";

interface Claim {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly accessModes?: readonly AccessMode[];
  /** `kraft-standard` where nothing is said; null leaves the class to the host. */
  readonly storageClassName?: string | null;
  readonly storage?: string;
  readonly volumeMode?: "Block" | "Filesystem";
}

/** Claims on every class of the platform. */
export function claims(host: Host): LegitimateObject[] {
  return syncedObjects(host, "persistentvolumeclaims.go", work);
}

/**
 * What the guest's volume controller notes on a claim whose class has a provisioner (Kubernetes v1.35
 * pkg/controller/volume/persistentvolume). K3k copies the claim once, before or after.
 */
const provisioner = Object.fromEntries(
  ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"].map((annotation) => [
    annotation,
    "driver.longhorn.io",
  ]),
);

function claim(name: string, more: Claim = {}): KubernetesObject {
  const storageClassName = more.storageClassName === undefined ? "kraft-standard" : more.storageClassName;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: more.namespace ?? "data",
      ...(more.labels === undefined ? {} : { labels: more.labels }),
      ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
      finalizers: ["kubernetes.io/pvc-protection", "pvc.k3k.io/finalizer"],
    },
    spec: {
      accessModes: more.accessModes ?? ["ReadWriteOnce"],
      resources: { requests: { storage: more.storage ?? "1Gi" } },
      ...(storageClassName === null ? {} : { storageClassName }),
      volumeMode: more.volumeMode ?? "Filesystem",
    },
  };
}

const work: readonly GuestWork[] = [
  { name: "a claim", source: "kubernetes.io, Persistent Volumes", object: claim("files") },
  {
    name: "a claim that the guest's volume controller saw first",
    source: "Kubernetes v1.35 pkg/controller/volume/persistentvolume/pv_controller.go",
    object: claim("seen", { annotations: provisioner }),
  },
  {
    name: "a claim on the critical class",
    source: "Kraft, storage classes",
    object: claim("ledger", { storageClassName: "kraft-critical", annotations: provisioner }),
  },
  {
    name: "a claim on the bulk class, shared between nodes",
    source: "kubernetes.io, Persistent Volumes: access modes; Longhorn, RWX volumes",
    object: claim("media", { storageClassName: "kraft-bulk", accessModes: ["ReadWriteMany"], storage: "2Gi" }),
  },
  {
    name: "a claim for one pod alone",
    source: "kubernetes.io, Persistent Volumes: ReadWriteOncePod",
    object: claim("single", { accessModes: ["ReadWriteOncePod"] }),
  },
  {
    name: "a claim of a block device",
    source: "kubernetes.io, Raw Block Volume Support",
    object: claim("block-disks-0", { volumeMode: "Block" }),
  },
  {
    name: "a claim before the guest has its classes, which leaves the class to the host",
    source: "kubernetes.io, Storage Classes: default; K3k copies classes once the guest is ready",
    object: claim("early", { storageClassName: null }),
  },
  {
    name: "a claim of a StatefulSet",
    source: "Kubernetes v1.35 pkg/controller/statefulset/stateful_set_utils.go getPersistentVolumeClaims",
    object: claim("data-db-0", { labels: { app: "db" }, annotations: provisioner }),
  },
  {
    name: "a claim of a chart's StatefulSet",
    source: "Helm chart bitnami/postgresql as commonly rendered",
    object: claim("data-shop-postgresql-0", {
      namespace: "shop",
      labels: {
        "app.kubernetes.io/component": "primary",
        "app.kubernetes.io/instance": "shop",
        "app.kubernetes.io/name": "postgresql",
      },
      annotations: provisioner,
    }),
  },
  {
    name: "a claim of a Helm chart that outlives its release",
    source: "Helm chart nextcloud/nextcloud as commonly rendered; helm.sh, helm.sh/resource-policy",
    object: claim("nextcloud-nextcloud", {
      namespace: "cloud",
      storageClassName: "kraft-critical",
      labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/component": "app" },
      annotations: {
        "helm.sh/resource-policy": "keep",
        "meta.helm.sh/release-name": "nextcloud",
        "meta.helm.sh/release-namespace": "cloud",
      },
      accessModes: ["ReadWriteOnce"],
    }),
  },
  {
    name: "a claim of a pod's ephemeral volume",
    source: "Kubernetes v1.35 pkg/controller/volume/ephemeral/controller.go, in the guest",
    object: claim("transcode-p7v9q-scratch", { namespace: "shop" }),
  },
];
