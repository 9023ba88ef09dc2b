// What there is to delete beside the platform and its tenants: a few objects of each kind that controllers delete.
import { syncedName, tenantNames } from "../../../components/plan/names.ts";
import type { Api } from "../../../local/api.ts";
import { longhornApi } from "../../../local/longhorn/objects.ts";

const { namespace, cluster: tenant, datastoreClaim, server } = tenantNames("acme");

const longhornNamespace = "longhorn-system";

/** The names that K3k gave what the tenant acme made in its guest. */
export const synced = {
  claim: syncedName(tenant, { name: "data", namespace: "shop" }),
  secret: syncedName(tenant, { name: "password", namespace: "shop" }),
  configMap: syncedName(tenant, { name: "settings", namespace: "shop" }),
  service: syncedName(tenant, { name: "web", namespace: "shop" }),
  pod: syncedName(tenant, { name: "web", namespace: "shop" }),
  scratch: `${syncedName(tenant, { name: "web", namespace: "shop" })}-scratch`,
} as const;

/** A guest's datastore, and the pod and StatefulSet that have it. */
export const datastore = { claim: datastoreClaim, server, pod: `${server}-0` } as const;

interface Identified {
  readonly metadata: { readonly uid: string };
}

/** Creates them, as the operator. Their owners exist: the garbage collector must have no reason to take them away. */
export async function createObjects(operator: Api): Promise<void> {
  const ofGuest = await operator.get<Identified>(`/apis/k3k.io/v1beta1/namespaces/${namespace}/clusters/${tenant}`);
  const owner = (apiVersion: string, kind: string, name: string, of: Identified | undefined) => ({
    ownerReferences: [{ apiVersion, kind, name, uid: of?.metadata.uid ?? "" }],
  });
  const byGuest = owner("k3k.io/v1beta1", "Cluster", tenant, ofGuest);
  const core = (
    plural: string,
    kind: string,
    name: string,
    metadata: object,
    rest: object,
    within: string = namespace,
  ) =>
    operator.apply<Identified>(`/api/v1/namespaces/${within}/${plural}/${name}`, {
      apiVersion: "v1",
      kind,
      metadata: { name, namespace: within, ...metadata },
      ...rest,
    });
  const claimSpec = {
    storageClassName: "kraft-standard",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
  };
  await core("persistentvolumeclaims", "PersistentVolumeClaim", synced.claim, byGuest, { spec: claimSpec });
  await core("secrets", "Secret", synced.secret, byGuest, {});
  await core("configmaps", "ConfigMap", synced.configMap, byGuest, {});
  await core("services", "Service", synced.service, byGuest, { spec: { ports: [{ port: 80 }] } });
  const pod = {
    priorityClassName: "kraft-tenant",
    automountServiceAccountToken: false,
    containers: [{ name: "web", image: "web:1" }],
  };
  const web = await core("pods", "Pod", synced.pod, byGuest, { spec: pod });
  await core("persistentvolumeclaims", "PersistentVolumeClaim", synced.scratch, owner("v1", "Pod", synced.pod, web), {
    spec: claimSpec,
  });
  // cert-manager's: a key that it has not used yet, and a certificate.
  await core("secrets", "Secret", "shop-tls-next", {}, {});
  await core(
    "secrets",
    "Secret",
    "shop-tls",
    {},
    { type: "kubernetes.io/tls", stringData: { "tls.crt": "", "tls.key": "" } },
  );
  // The operator's own, in the same namespaces.
  await core("secrets", "Secret", "note", {}, {}, longhornNamespace);
  await core("secrets", "Secret", "backup-source-old", {}, {}, longhornNamespace);
  await core("persistentvolumeclaims", "PersistentVolumeClaim", "own", {}, { spec: claimSpec }, "default");
  await core("resourcequotas", "ResourceQuota", "own", {}, { spec: { hard: { pods: "10" } } }, "default");
  await operator.apply("/api/v1/namespaces/own", { apiVersion: "v1", kind: "Namespace", metadata: { name: "own" } });
  await operator.apply("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/own", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "own", namespace: "default" },
    spec: { podSelector: {} },
  });
  for (const name of ["longhorn", "own"]) {
    await operator.apply(`/apis/storage.k8s.io/v1/storageclasses/${name}`, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name },
      provisioner: "driver.longhorn.io",
    });
  }
  await operator.apply("/api/v1/persistentvolumes/released", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "released" },
    spec: {
      storageClassName: "own",
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      csi: { driver: "driver.longhorn.io", volumeHandle: "released" },
    },
  });
  await createLonghornObjects(operator, owner);
}

async function createLonghornObjects(
  operator: Api,
  owner: (apiVersion: string, kind: string, name: string, of: Identified | undefined) => object,
): Promise<void> {
  const longhorn = (plural: string, kind: string, name: string, rest: object, metadata: object = {}) =>
    operator.apply<Identified>(`${longhornApi}/${plural}/${name}`, {
      apiVersion: "longhorn.io/v1beta2",
      kind,
      metadata: { name, namespace: longhornNamespace, ...metadata },
      ...rest,
    });
  const ownedBy = (kind: string, name: string, of: Identified) => owner("longhorn.io/v1beta2", kind, name, of);
  const target = await longhorn("backuptargets", "BackupTarget", "default", {
    spec: { backupTargetURL: "s3://bucket@region/local/", credentialSecret: "wasabi-backup", pollInterval: "5m0s" },
  });
  await longhorn("backuptargets", "BackupTarget", "old", { spec: { backupTargetURL: "s3://bucket@region/old/" } });
  const volume = await longhorn("volumes", "Volume", "pvc-1", { spec: { size: "1073741824" } });
  const parts = ownedBy("Volume", "pvc-1", volume);
  await longhorn("engines", "Engine", "pvc-1-e-0", {}, parts);
  await longhorn("replicas", "Replica", "pvc-1-r-0", {}, parts);
  await longhorn("snapshots", "Snapshot", "hourly", { spec: { volume: "pvc-1" } }, parts);
  const series = await longhorn(
    "backupvolumes",
    "BackupVolume",
    "pvc-1-abc",
    {},
    ownedBy("BackupTarget", "default", target),
  );
  await longhorn("backups", "Backup", "backup-1", {}, ownedBy("BackupVolume", "pvc-1-abc", series));
  await longhorn("systembackups", "SystemBackup", "daily", {}, ownedBy("BackupTarget", "default", target));
  await longhorn("recurringjobs", "RecurringJob", "own", {});
  for (const [name, value] of [
    ["deleting-confirmation-flag", "false"],
    ["log-level", "Info"],
  ] as const) {
    await longhorn("settings", "Setting", name, { value });
  }
}
