// Deletions by which an administrator would lose data, each of which `kubectl` sends with `--dry-run=server`.
import { datastore, synced } from "./objects.ts";

/** A request of somebody with every right, and the whole message that it is refused with. */
export interface Slip {
  readonly name: string;
  /** What `kubectl` sends. */
  readonly method: "DELETE" | "PATCH";
  readonly path: string;
  readonly body?: object;
  readonly message: string;
}

const acme = "/api/v1/namespaces/k3k-acme";
const longhorn = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Part = "boundary" | "longhorn" | "platform" | "tenants";

/**
 * @param kind as the API server names it, with its group
 * @param text what would be lost, and the safe way
 */
function refused(part: Part, kind: string, name: string, text: string, namespace?: string): string {
  const policy = `kraft-deletions-of-${part}`;
  const object = `${kind} ${name}${namespace === undefined ? "" : ` --namespace ${namespace}`}`;
  return (
    `${kind} "${name}" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: ${text} ` +
    `As a last resort, permit it for two days: kubectl annotate --overwrite ${object} kraft.dev/deletion-permitted-on=$(date -u +%F)`
  );
}

/** All of a collection at once: the message of the first one is shown, with a name that the API server does not know. */
function collection(name: string, path: string, message: string): Slip {
  return deletion(name, path, message.replace(/"[^"]+" is forbidden/, '"Unknown" is forbidden'));
}

function deletion(name: string, path: string, message: string, body?: object): Slip {
  return { name, method: "DELETE", path, message, ...(body === undefined ? {} : { body }) };
}

const guest = (name: string): string =>
  refused(
    "tenants",
    "clusters.k3k.io",
    name,
    `the guest cluster ${name} was not deleted: every volume claim of the tenant would be deleted with it, that of its datastore too. Archive the tenant: docs/offboarding.md.`,
    `k3k-${name}`,
  );

const namespaceOf = (name: string): string =>
  refused(
    "tenants",
    "namespaces",
    `k3k-${name}`,
    `the tenant's namespace k3k-${name} was not deleted: guest cluster, volume claims and token of the tenant would be deleted with it. Archive the tenant, then purge it: docs/offboarding.md.`,
  );

const claim = (name: string): string =>
  refused(
    "tenants",
    "persistentvolumeclaims",
    name,
    `the volume claim ${name} was not deleted: the guest would lose what is in the volume, and start with an empty one. A tenant deletes a claim inside the guest; all of them go with a tenant that is archived: docs/offboarding.md.`,
    "k3k-acme",
  );

const definition = (name: string): string =>
  refused(
    "platform",
    "customresourcedefinitions.apiextensions.k8s.io",
    name,
    `the definition ${name} was not deleted: every object of this kind would be deleted with it: guests with their claims, volumes, backups in the bucket. A new version of the chart changes it in place: docs/updating.md.`,
  );

const storageClass = (name: string): string =>
  refused(
    "platform",
    "storageclasses.storage.k8s.io",
    name,
    `the storage class ${name} was not deleted: no guest could claim a volume of it, nor a restore. Its parameters never change: give a class with others another name.`,
  );

const networkPolicy = (name: string, namespace: string): string =>
  refused(
    "boundary",
    "networkpolicies.networking.k8s.io",
    name,
    `the network policy ${name} was not deleted: the namespace would be open to others, or cut off from what it needs. pulumi up writes back what was changed by hand.`,
    namespace,
  );

const quota = (name: string, namespace: string): string =>
  refused(
    "boundary",
    "resourcequotas",
    name,
    `the quota ${name} was not deleted: nothing would keep the namespace from taking what all tenants share. Change the tenant's size or quota in the stack file.`,
    namespace,
  );

const backup = (plural: string, name: string): string =>
  refused(
    "longhorn",
    `${plural}.longhorn.io`,
    name,
    `the backup ${name} was not deleted: Longhorn would delete it in the bucket too. Longhorn's schedules delete old ones themselves: docs/backups.md.`,
    "longhorn-system",
  );

const part = (plural: string, name: string): string =>
  refused(
    "longhorn",
    `${plural}.longhorn.io`,
    name,
    `this part of a volume ${name} was not deleted: Longhorn would delete a copy of the volume's data, which may be the last one. To empty a node, let Longhorn move its copies: docs/runbooks/node-replaced.md.`,
    "longhorn-system",
  );

const volume = refused(
  "longhorn",
  "volumes.longhorn.io",
  "pvc-1",
  "the volume pvc-1 was not deleted: all data in it that is not in a backup would be deleted. npx kraft reclaim deletes a volume that nobody needs any more.",
  "longhorn-system",
);

const snapshot = refused(
  "longhorn",
  "snapshots.longhorn.io",
  "hourly",
  "the snapshot hourly was not deleted: the volume could not be taken back to it any more. Longhorn's schedules delete old ones themselves: docs/backups.md.",
  "longhorn-system",
);

const backupTarget = (changed: boolean): string =>
  refused(
    "longhorn",
    "backuptargets.longhorn.io",
    "default",
    `the backup target default was not ${changed ? "changed" : "deleted"}: no volume would be backed up any more, and Longhorn would forget every backup. To back up to another bucket, change the stack file: docs/backups.md.`,
    "longhorn-system",
  );

const token = refused(
  "tenants",
  "secrets",
  "k3k-acme-token",
  "the guest's token k3k-acme-token was not deleted: a guest cannot open its datastore with another token. It goes with a tenant that is purged: docs/offboarding.md.",
  "k3k-acme",
);

const addons = refused(
  "tenants",
  "secrets",
  "acme-addons",
  "the guest's addons acme-addons was not deleted: the guest's server could not start again. It goes with a tenant that is archived: docs/offboarding.md.",
  "k3k-acme",
);

const policy = refused(
  "tenants",
  "virtualclusterpolicies.k3k.io",
  "tenant-acme",
  "the policy tenant-acme was not deleted: K3k would take the quota and Pod Security off the tenant's namespace. It goes with a tenant that is purged: docs/offboarding.md.",
);

const key = refused(
  "platform",
  "secrets",
  "wasabi-backup",
  "the key to the backups wasabi-backup was not deleted: Longhorn could neither write a backup nor read one. To use another key, change the stack file: docs/runbooks/key-leaked.md.",
  "longhorn-system",
);

const longhornNamespace = refused(
  "platform",
  "namespaces",
  "longhorn-system",
  "the namespace longhorn-system was not deleted: all volumes would be deleted with it, and the backups in the bucket. Change or update Longhorn with pulumi up: docs/updating.md.",
);

const k3kNamespace = refused(
  "platform",
  "namespaces",
  "k3k-system",
  "the namespace k3k-system was not deleted: nothing would keep the guests running any more. Change or update K3k with pulumi up: docs/updating.md.",
);

const uninstallation = refused(
  "longhorn",
  "settings.longhorn.io",
  "deleting-confirmation-flag",
  "the setting deleting-confirmation-flag was not changed: an uninstallation of Longhorn's chart would delete all volumes, and the backups in the bucket. A new version of Longhorn is installed without it: docs/updating.md.",
  "longhorn-system",
);

const policies = (namespace: string): string => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;

export const slips: readonly Slip[] = [
  deletion("a guest cluster", "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme", guest("acme")),
  deletion("another's guest cluster", "/apis/k3k.io/v1beta1/namespaces/k3k-blue/clusters/blue", guest("blue")),
  deletion(
    "a guest cluster, its claims orphaned",
    "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme",
    guest("acme"),
    {
      propagationPolicy: "Orphan",
    },
  ),
  deletion(
    "a guest cluster at once, as with --force",
    "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters/acme",
    guest("acme"),
    {
      gracePeriodSeconds: 0,
    },
  ),
  collection("all guest clusters of a namespace", "/apis/k3k.io/v1beta1/namespaces/k3k-acme/clusters", guest("acme")),
  deletion("a tenant's policy", "/apis/k3k.io/v1beta1/virtualclusterpolicies/tenant-acme", policy),
  collection(
    "all policies with a tenant's label",
    "/apis/k3k.io/v1beta1/virtualclusterpolicies?labelSelector=kraft.dev%2Ftenant%3Dacme",
    policy,
  ),
  deletion("a tenant's namespace", acme, namespaceOf("acme")),
  deletion("another tenant's namespace", "/api/v1/namespaces/k3k-blue", namespaceOf("blue")),
  deletion("a tenant's namespace in the foreground", acme, namespaceOf("acme"), { propagationPolicy: "Foreground" }),
  deletion("the claim of a datastore", `${acme}/persistentvolumeclaims/${datastore.claim}`, claim(datastore.claim)),
  deletion("a claim that K3k copied", `${acme}/persistentvolumeclaims/${synced.claim}`, claim(synced.claim)),
  collection(
    "the claims of a namespace, with a field selector",
    `${acme}/persistentvolumeclaims?fieldSelector=metadata.name%3D${datastore.claim}`,
    claim(datastore.claim),
  ),
  deletion("a guest's token", `${acme}/secrets/k3k-acme-token`, token),
  deletion("a guest's addons", `${acme}/secrets/acme-addons`, addons),
  collection(
    "all secrets with a tenant's label",
    `${acme}/secrets?labelSelector=kraft.dev%2Ftenant&fieldSelector=metadata.name%3Dk3k-acme-token`,
    token,
  ),
  deletion("Longhorn's namespace", "/api/v1/namespaces/longhorn-system", longhornNamespace),
  deletion("K3k's namespace", "/api/v1/namespaces/k3k-system", k3kNamespace),
  deletion("the definition of backups", `${definitions}/backups.longhorn.io`, definition("backups.longhorn.io")),
  deletion("the definition of volumes", `${definitions}/volumes.longhorn.io`, definition("volumes.longhorn.io")),
  deletion("the definition of guest clusters", `${definitions}/clusters.k3k.io`, definition("clusters.k3k.io")),
  deletion(
    "the definition of policies",
    `${definitions}/virtualclusterpolicies.k3k.io`,
    definition("virtualclusterpolicies.k3k.io"),
  ),
  deletion("the key to the backups", "/api/v1/namespaces/longhorn-system/secrets/wasabi-backup", key),
  deletion("the backup target", `${longhorn}/backuptargets/default`, backupTarget(false)),
  deletion("a volume", `${longhorn}/volumes/pvc-1`, volume),
  collection("all volumes", `${longhorn}/volumes`, volume),
  deletion("an engine", `${longhorn}/engines/pvc-1-e-0`, part("engines", "pvc-1-e-0")),
  collection("all replicas", `${longhorn}/replicas`, part("replicas", "pvc-1-r-0")),
  deletion("a snapshot", `${longhorn}/snapshots/hourly`, snapshot),
  deletion("a backup", `${longhorn}/backups/backup-1`, backup("backups", "backup-1")),
  collection("all backups", `${longhorn}/backups`, backup("backups", "backup-1")),
  deletion("a volume's series of backups", `${longhorn}/backupvolumes/pvc-1-abc`, backup("backupvolumes", "pvc-1-abc")),
  deletion("a backup of Longhorn's objects", `${longhorn}/systembackups/daily`, backup("systembackups", "daily")),
  deletion(
    "the default storage class",
    "/apis/storage.k8s.io/v1/storageclasses/kraft-standard",
    storageClass("kraft-standard"),
  ),
  deletion(
    "the critical storage class",
    "/apis/storage.k8s.io/v1/storageclasses/kraft-critical",
    storageClass("kraft-critical"),
  ),
  deletion("the bulk storage class", "/apis/storage.k8s.io/v1/storageclasses/kraft-bulk", storageClass("kraft-bulk")),
  deletion(
    "a tenant's default-deny",
    `${policies("k3k-acme")}/kraft-default-deny`,
    networkPolicy("kraft-default-deny", "k3k-acme"),
  ),
  deletion(
    "Longhorn's default-deny",
    `${policies("longhorn-system")}/kraft-default-deny`,
    networkPolicy("kraft-default-deny", "longhorn-system"),
  ),
  collection("all of Traefik's network policies", policies("traefik"), networkPolicy("kraft-default-deny", "traefik")),
  deletion("a tenant's quota", `${acme}/resourcequotas/kraft-objects`, quota("kraft-objects", "k3k-acme")),
  deletion(
    "the drills' quota",
    "/api/v1/namespaces/kraft-drill/resourcequotas/kraft-drill",
    quota("kraft-drill", "kraft-drill"),
  ),
  {
    name: "Longhorn's uninstallation made possible",
    method: "PATCH",
    path: `${longhorn}/settings/deleting-confirmation-flag`,
    body: { value: "true" },
    message: uninstallation,
  },
  {
    name: "the backup target emptied",
    method: "PATCH",
    path: `${longhorn}/backuptargets/default`,
    body: { spec: { backupTargetURL: "" } },
    message: backupTarget(true),
  },
];
