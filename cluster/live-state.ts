import { leavingConfigMap, suspendedAtAnnotation } from "../components/plan/lifecycle.ts";
import { arrivedFromAnnotation, departureOf, movedToAnnotation, type Departure } from "../components/plan/move.ts";
import { managedBucketAnnotation, tenantLabel } from "../components/plan/names.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import { priorityClasses } from "../components/plan/size.ts";
import { schedules } from "../components/plan/storage.ts";
import type { Host } from "./client.ts";
import { hasEnded, lastEnd, type Pod } from "./pods.ts";

/** What stands in the cluster before anything is declared, as far as data hangs on it. */
export interface Standing {
  readonly tenants: readonly StandingTenant[];
  readonly volumes: readonly StandingVolume[];
  /** Names of the CustomResourceDefinitions whose deletion takes tenants' data along. */
  readonly dataDefinitions: readonly string[];
  /** Where Longhorn was last told to send backups: `s3://bucket@region/prefix/`. */
  readonly target?: string;
  /** Whether Kraft made the bucket. */
  readonly managedBucket: boolean;
  /** Whether any of Kraft's snapshot and backup schedules is there. */
  readonly schedules: boolean;
}

/** A tenant that has a namespace. */
export interface StandingTenant {
  readonly name: string;
  /** Whether its guest cluster is there. */
  readonly guest: boolean;
  /** What the last run unlocked, so that the next may take it away. */
  readonly leaving?: string;
  /** Since when it is suspended, as RFC 3339. */
  readonly suspendedAt?: string;
  /** Where `kraft move` took its data, and since when. */
  readonly movedTo?: Departure;
  /** The stack that `kraft move` brought its data from, whole. */
  readonly arrivedFrom?: string;
  /** Names of the pods of its own that run or may start: those of K3k end with the guest. */
  readonly pods: readonly string[];
  readonly claims: readonly StandingClaim[];
}

/** A volume claim in a tenant's namespace. */
export interface StandingClaim {
  readonly name: string;
  /** The volume that it is bound to; undefined while it waits for one. */
  readonly volume?: string;
  /** When the last pod with it had ended, of those that ended and were not deleted, as RFC 3339. */
  readonly lastPodEndedAt?: string;
}

/** A volume of Longhorn. */
export interface StandingVolume {
  readonly name: string;
  /** When its last backup was made, as RFC 3339; undefined where there is none. */
  readonly lastBackupAt?: string;
  /** When the last pod that used it was gone, as RFC 3339; undefined while there is one, and where there never was. */
  readonly lastUsedAt?: string;
  /** False while it is filled from a backup. */
  readonly whole: boolean;
  /** The backups that it follows, of a stack that a tenant moves here from: Longhorn's name of them, and their URL. */
  readonly follows?: { readonly target: string; readonly url: string };
}

/** Groups whose CustomResourceDefinitions take tenants' data with them when they are deleted. */
export const dataGroups = ["k3k.io", "longhorn.io"];

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface KubernetesObject {
  readonly metadata: Metadata;
}

interface Claim extends KubernetesObject {
  readonly spec?: { readonly volumeName?: string };
}

interface Volume extends KubernetesObject {
  /** Longhorn does write Standby with a capital. */
  readonly spec?: { readonly fromBackup?: string; readonly Standby?: boolean; readonly backupTargetName?: string };
  readonly status?: {
    readonly lastBackupAt?: string;
    readonly state?: string;
    readonly restoreRequired?: boolean;
    readonly kubernetesStatus?: { readonly lastPodRefAt?: string };
  };
}

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Looks at a cluster. Only reads. */
export async function look(host: Host): Promise<Standing> {
  const longhorn = platformNamespaces.longhorn;
  const ofTenants = `labelSelector=${encodeURIComponent(tenantLabel)}`;
  const [namespaces, guests, claims, pods, volumes, resource, namespace, jobs, definitions, leavings] =
    await Promise.all([
      host.list<KubernetesObject>(`/api/v1/namespaces?${ofTenants}`),
      host.list<KubernetesObject>("/apis/k3k.io/v1beta1/clusters"),
      host.list<Claim>("/api/v1/persistentvolumeclaims"),
      host.list<Pod>("/api/v1/pods"),
      host.list<Volume>(`/apis/longhorn.io/v1beta2/namespaces/${longhorn}/volumes`),
      host.get<ConfigMap>(`/api/v1/namespaces/${longhorn}/configmaps/longhorn-default-resource`),
      host.get<KubernetesObject>(`/api/v1/namespaces/${longhorn}`),
      host.list<KubernetesObject>(`/apis/longhorn.io/v1beta2/namespaces/${longhorn}/recurringjobs`),
      host.names("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
      host.list<ConfigMap>(`/api/v1/configmaps?fieldSelector=metadata.name%3D${leavingConfigMap}`),
    ]);
  const target = /^backup-target: *"?([^"\n]+?)"? *$/m.exec(resource?.data?.["default-resource.yaml"] ?? "")?.[1];
  return {
    tenants: namespaces.map((found) => {
      const name = found.metadata.labels?.[tenantLabel] ?? "";
      const within = <Kind extends KubernetesObject>(objects: readonly Kind[]): readonly Kind[] =>
        objects.filter(({ metadata }) => metadata.namespace === found.metadata.name);
      const podsWithin = within(pods);
      const guest = within(guests).find(({ metadata }) => metadata.name === name);
      const leaving = within(leavings)[0]?.data?.["state"];
      const suspendedAt = guest?.metadata.annotations?.[suspendedAtAnnotation];
      const movedTo = departureOf(found.metadata.annotations?.[movedToAnnotation]);
      const arrivedFrom = found.metadata.annotations?.[arrivedFromAnnotation];
      return {
        name,
        guest: guest !== undefined,
        ...(leaving === undefined ? {} : { leaving }),
        ...(suspendedAt === undefined ? {} : { suspendedAt }),
        ...(movedTo === undefined ? {} : { movedTo }),
        ...(arrivedFrom === undefined ? {} : { arrivedFrom }),
        pods: podsWithin
          .filter((pod) => pod.spec?.priorityClassName === priorityClasses.tenant && !hasEnded(pod))
          .map(({ metadata }) => metadata.name),
        claims: within(claims).map(({ metadata, spec }) => {
          const lastPodEndedAt = lastEnd(podsWithin, metadata.name);
          return {
            name: metadata.name,
            ...(spec?.volumeName === undefined || spec.volumeName === "" ? {} : { volume: spec.volumeName }),
            ...(lastPodEndedAt === undefined ? {} : { lastPodEndedAt }),
          };
        }),
      };
    }),
    volumes: volumes.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      ...(status?.lastBackupAt === undefined || status.lastBackupAt === ""
        ? {}
        : { lastBackupAt: status.lastBackupAt }),
      ...((status?.kubernetesStatus?.lastPodRefAt ?? "") === ""
        ? {}
        : { lastUsedAt: status?.kubernetesStatus?.lastPodRefAt ?? "" }),
      ...(spec?.Standby === true
        ? { follows: { target: spec.backupTargetName ?? "", url: (spec.fromBackup ?? "").replace(/\?.*$/, "") } }
        : {}),
      whole: (spec?.fromBackup ?? "") === "" || (status?.restoreRequired === false && status.state !== "creating"),
    })),
    dataDefinitions: definitions.filter((name) => dataGroups.some((group) => name.endsWith(`.${group}`))),
    ...(target === undefined ? {} : { target }),
    managedBucket: namespace?.metadata.annotations?.[managedBucketAnnotation] === "true",
    schedules: jobs.some(({ metadata }) => schedules.some(({ name }) => name === metadata.name)),
  };
}
