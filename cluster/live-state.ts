import { dataGroups } from "../components/plan/deletion-permission.ts";
import {
  arrivedFromAnnotation,
  type Departure,
  departureOf,
  leavingConfigMap,
  leavingKeys,
  movedToAnnotation,
  suspendedAtAnnotation,
} from "../components/plan/lifecycle.ts";
import { managedBucketAnnotation, tenantLabel } from "../components/plan/names.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import { priorityClasses } from "../components/plan/size.ts";
import { schedules } from "../components/plan/storage.ts";
import type { Host } from "./client.ts";
import { isStandby, isUnused, isWhole, nonEmpty } from "./longhorn.ts";
import {
  type Claim,
  type Cluster,
  hasEnded,
  type Ingress,
  type KubernetesObject,
  lastEnd,
  type Pod,
  type Volume,
} from "./objects.ts";
import { labelled, namedEverywhere, paths } from "./paths.ts";
import { type RetainedVolume, retainedVolumes } from "./retained.ts";

/** What the cluster has before anything is declared, as far as tenants' data depends on it. */
export interface LiveState {
  readonly tenants: readonly LiveTenant[];
  readonly volumes: readonly LiveVolume[];
  /** The volumes that were a tenant's and that no claim is bound to now, also of tenants whose namespace is gone. */
  readonly retained: readonly RetainedVolume[];
  /** Names of the CustomResourceDefinitions whose deletion takes tenants' data along. */
  readonly dataDefinitions: readonly string[];
  /** Where Longhorn was last told to send backups: `s3://bucket@region/prefix/`. */
  readonly target?: string;
  readonly managedBucket: boolean;
  /** Whether any of Kraft's snapshot and backup schedules is there. */
  readonly schedules: boolean;
}

/** A tenant that has a namespace. */
export interface LiveTenant {
  readonly name: string;
  readonly guest: boolean;
  /** What of it is being deleted at this moment, and takes the claims along. */
  readonly ends?: "guest" | "namespace";
  /** What the last run unlocked, so that the next may take it away. */
  readonly leaving?: string;
  /** Day of the permission to do so. */
  readonly deletionPermittedOn?: string;
  /** Since when it is suspended, as RFC 3339. */
  readonly suspendedAt?: string;
  /** Where `kraft move` took its data, and since when. */
  readonly movedTo?: Departure;
  /** The stack that `kraft move` brought its data from, whole. */
  readonly arrivedFrom?: string;
  /** Names of the pods of its own that run or may start: those of K3k end with the guest. */
  readonly pods: readonly string[];
  readonly claims: readonly LiveClaim[];
  readonly ingresses: readonly LiveIngress[];
}

/** An Ingress in a tenant's namespace, with the names that it serves. */
export interface LiveIngress {
  readonly name: string;
  readonly hosts: readonly string[];
}

/** The tenant of a name; undefined where it has no namespace. */
export function liveTenant({ tenants }: Pick<LiveState, "tenants">, name: string): LiveTenant | undefined {
  return tenants.find((tenant) => tenant.name === name);
}

/** A volume claim in a tenant's namespace. */
export interface LiveClaim {
  readonly name: string;
  /** The volume that it is bound to; undefined while it waits for one. */
  readonly volume?: string;
  /** When the last pod with it had ended, of those that ended and were not deleted, as RFC 3339. */
  readonly lastPodEndedAt?: string;
  /** Whether it is being deleted, or is about to be, because the guest that it belonged to is gone. */
  readonly isEnding?: boolean;
}

export interface LiveVolume {
  readonly name: string;
  /** When Longhorn made it, as RFC 3339. */
  readonly createdAt?: string;
  /** Whether nothing was ever written to it. */
  readonly isUnused?: boolean;
  /** Whether it was made from a backup. */
  readonly isRestored?: boolean;
  /** When its last backup was made, as RFC 3339; undefined where there is none. */
  readonly lastBackupAt?: string;
  /** When the last pod that used it was gone, as RFC 3339; undefined while there is one, and where there never was. */
  readonly lastUsedAt?: string;
  /** False while it is filled from a backup. */
  readonly whole: boolean;
  /** The backups that it follows, of a stack that a tenant moves here from: Longhorn's name of them, and their URL. */
  readonly follows?: { readonly target: string; readonly url: string };
}

/** Reads the live state of a cluster. Changes nothing. */
export async function readLiveState(host: Host): Promise<LiveState> {
  const longhorn = platformNamespaces.longhorn;
  const [
    namespaces,
    guests,
    claims,
    pods,
    ingresses,
    volumes,
    persistentVolumes,
    resource,
    namespace,
    jobs,
    definitions,
    leavings,
  ] = await Promise.all([
    host.list(labelled(paths.namespaces.all, tenantLabel)),
    host.list(paths.clusters.all),
    host.list(paths.claims.all),
    host.list(paths.pods.all),
    host.list(paths.ingresses.all),
    host.list(paths.volumes.all),
    host.list(paths.persistentVolumes.all),
    host.get(paths.configMaps.named(longhorn, "longhorn-default-resource")),
    host.get(paths.namespaces.named(longhorn)),
    host.list(paths.recurringJobs.all),
    host.names(paths.customResourceDefinitions.all),
    host.list(namedEverywhere(paths.configMaps.all, leavingConfigMap)),
  ]);
  const target = /^backup-target: *"?([^"\n]+?)"? *$/m.exec(resource?.data?.["default-resource.yaml"] ?? "")?.[1];
  return {
    tenants: namespaces.map(({ metadata: { name: within, labels, annotations, deletionTimestamp } }) => {
      const name = labels?.[tenantLabel] ?? "";
      const inside = <Kind extends KubernetesObject>(objects: readonly Kind[]): readonly Kind[] =>
        objects.filter(({ metadata }) => metadata.namespace === within);
      const guest = inside(guests).find(({ metadata }) => metadata.name === name);
      const ownPods = inside(pods);
      return {
        name,
        guest: guest !== undefined,
        ends:
          deletionTimestamp !== undefined
            ? "namespace"
            : guest?.metadata.deletionTimestamp !== undefined
              ? "guest"
              : undefined,
        leaving: inside(leavings)[0]?.data?.[leavingKeys.state],
        deletionPermittedOn: inside(leavings)[0]?.data?.[leavingKeys.permittedOn],
        suspendedAt: guest?.metadata.annotations?.[suspendedAtAnnotation],
        movedTo: departureOf(annotations?.[movedToAnnotation]),
        arrivedFrom: annotations?.[arrivedFromAnnotation],
        pods: ownPods
          .filter((pod) => pod.spec?.priorityClassName === priorityClasses.tenant && !hasEnded(pod))
          .map(({ metadata }) => metadata.name),
        claims: inside(claims).map((claim) => liveClaim(claim, guest, ownPods)),
        ingresses: inside(ingresses).map(liveIngress),
      };
    }),
    volumes: volumes.map(liveVolume),
    retained: retainedVolumes(volumes, persistentVolumes, claims),
    dataDefinitions: definitions.filter((name) => dataGroups.some((group) => name.endsWith(`.${group}`))),
    target,
    managedBucket: namespace?.metadata.annotations?.[managedBucketAnnotation] === "true",
    schedules: jobs.some(({ metadata }) => schedules.some(({ name }) => name === metadata.name)),
  };
}

/** A claim as the guards see it, given the guest that is there now and the pods of the namespace. */
export function liveClaim({ metadata, spec }: Claim, guest: Cluster | undefined, pods: readonly Pod[]): LiveClaim {
  const owner = (metadata.ownerReferences ?? []).find(({ kind }) => kind === "Cluster");
  return {
    name: metadata.name,
    volume: nonEmpty(spec?.volumeName),
    lastPodEndedAt: lastEnd(pods, metadata.name),
    // Kubernetes deletes what belongs to an object that no longer exists, also once another of its name does.
    isEnding: metadata.deletionTimestamp !== undefined || (owner !== undefined && owner.uid !== guest?.metadata.uid),
  };
}

export function liveIngress({ metadata, spec }: Ingress): LiveIngress {
  const hosts = (spec?.rules ?? []).flatMap(({ host }) => nonEmpty(host) ?? []);
  return { name: metadata.name, hosts: [...new Set(hosts)] };
}

export function liveVolume(volume: Volume): LiveVolume {
  const { metadata, spec, status } = volume;
  return {
    name: metadata.name,
    createdAt: metadata.creationTimestamp,
    isUnused: isUnused(volume),
    isRestored: (spec?.fromBackup ?? "") !== "",
    lastBackupAt: nonEmpty(status?.lastBackupAt),
    lastUsedAt: nonEmpty(status?.kubernetesStatus?.lastPodRefAt),
    follows: isStandby(volume)
      ? { target: spec?.backupTargetName ?? "", url: (spec?.fromBackup ?? "").replace(/\?.*$/, "") }
      : undefined,
    whole: isWhole(volume),
  };
}
