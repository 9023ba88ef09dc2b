import { tenantNames } from "../../components/plan/names.ts";
import { byteQuantity, mebibytes } from "../../components/plan/quantity.ts";
import { datastoreStorage, objectQuota, tenantAllowance } from "../../components/plan/size.ts";
import { classLimits, defaultStorageClass, scheduleOf, tiers } from "../../components/plan/storage.ts";
import { guestName, type GuestName } from "../../components/plan/synced-names.ts";
import type { Catalogue, CatalogueMessage, CatalogueVolume } from "../../infra/catalogue/catalogue.ts";
import { restoreRate } from "../../infra/checks/backup-window.ts";
import type { Line, Tenant } from "../../infra/model.ts";
import { intervalHours } from "../../infra/schedule.ts";
import { moment } from "../cli/moment.ts";

/** What a restore follows from, beside the backups. */
export interface RestoreInputs {
  readonly tenants: readonly Pick<Tenant, "from" | "name" | "quota" | "size" | "state" | "tier">[];
  /** Volumes that the operator does without. */
  readonly leaveOut: readonly string[];
  /** Undefined where the stack file does not describe it. */
  readonly line: Pick<Line, "downlinkMbps"> | undefined;
  /** Only this tenant; undefined for all. */
  readonly tenant?: string | undefined;
}

/** One volume that comes back. */
export interface PlannedVolume extends CatalogueVolume {
  readonly tenant: string;
  /** What the guest calls the claim; null for its own datastore, and where the name does not tell. */
  readonly guest: GuestName | null;
  readonly isDatastore: boolean;
  /** That the restore downloads, or at most where that was not looked at. */
  readonly downloadBytes: number;
}

/** What comes back of one tenant. */
export interface PlannedTenant {
  readonly name: string;
  readonly namespace: string;
  /** In the order of their restore. */
  readonly volumes: readonly PlannedVolume[];
  readonly downloadBytes: number;
  /** RFC 3339; null where nothing comes back. */
  readonly newestBackup: string | null;
  readonly oldestBackup: string | null;
  /** Hours on this line, alone; null where it is not described. */
  readonly hours: number | null;
}

/** A volume that stays in the bucket, and why. */
export interface LeftVolume {
  readonly volume: string;
  readonly namespace: string | null;
  readonly claim: string | null;
  readonly reason: string;
}

/** Something that is wrong, or that the operator should know. */
export interface Remark {
  /** The tenant or the volume. */
  readonly subject: string;
  readonly message: string;
}

/** What a restore would do. */
export interface RestorePlan {
  readonly target: string;
  readonly tenants: readonly PlannedTenant[];
  /** All volumes of all tenants, in the order of their restore. */
  readonly order: readonly PlannedVolume[];
  readonly downloadBytes: number;
  readonly hours: number | null;
  readonly left: readonly LeftVolume[];
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** Tenants whose volumes do not fit what the stack file promises them; nothing of theirs is restored. */
  readonly refused: readonly string[];
}

/** States in which a tenant's volumes are in the cluster. */
const withVolumes: ReadonlySet<Tenant["state"]> = new Set(["active", "suspended"]);

/** How many intervals of its schedule a backup may be behind the newest of its tenant, as for a late one. */
const farApart = 1.5;

/**
 * What comes back in which order, what stays, and what is wrong. The datastores of all guests come first, since nothing
 * of a guest can start without its own; then whatever is smaller, so that most tenants are back soonest.
 */
export function restorePlan(catalogue: Catalogue, inputs: RestoreInputs): RestorePlan {
  const problems: Remark[] = [];
  const warnings: Remark[] = [];
  const left: LeftVolume[] = catalogue.unattached.map(({ message, ...whose }) => ({ ...whose, reason: message }));
  const planned: PlannedVolume[] = [];
  const leaveOut = new Set(inputs.leaveOut);
  const tenantOf = new Map(inputs.tenants.map((tenant) => [tenantNames(tenant.name).namespace, tenant]));
  const concerned = (namespace: string | null): boolean =>
    inputs.tenant === undefined || namespace === tenantNames(inputs.tenant).namespace;

  for (const volume of catalogue.volumes) {
    const { volume: name, namespace, claim } = volume;
    const tenant = tenantOf.get(namespace);
    const stays = (reason: string): void => {
      left.push({ volume: name, namespace, claim, reason });
    };
    if (leaveOut.has(name)) {
      stays("kraft:leaveOut names it");
    } else if (!concerned(namespace)) {
      continue;
    } else if (tenant === undefined) {
      stays(`the stack file has no tenant with the namespace ${namespace}`);
      problems.push({
        subject: name,
        message: `is claim ${claim} of namespace ${namespace}, which no tenant in the stack file has: add the tenant, or add the volume to kraft:leaveOut`,
      });
    } else if (!withVolumes.has(tenant.state)) {
      stays(`tenant ${tenant.name} is ${tenant.state}`);
    } else {
      const remark = unrestorable(volume);
      if (remark === undefined) {
        planned.push(plannedVolume(volume, tenant.name));
      } else {
        stays(remark);
        problems.push({ subject: name, message: remark });
      }
    }
  }
  for (const { volume, namespace, claim, message } of catalogue.damaged) {
    if (!leaveOut.has(volume) && (concerned(namespace) || namespace === null)) {
      problems.push({ subject: ownerText(volume, namespace, claim), message });
    }
  }
  warnings.push(...notesOf(catalogue.notes, concerned), ...unknownLeaveOuts(catalogue, inputs.leaveOut));

  planned.sort(inOrderOfRestore);
  const tenants = inputs.tenants
    .filter(({ name, state }) => withVolumes.has(state) && concerned(tenantNames(name).namespace))
    .map(({ name }) =>
      plannedTenant(
        name,
        planned.filter(({ tenant }) => tenant === name),
        inputs.line,
      ),
    );
  const refused: string[] = [];
  for (const tenant of tenants) {
    warnings.push(...farApartRemarks(tenant));
    const declared = tenantOf.get(tenant.namespace);
    const excess = declared === undefined ? undefined : quotaExcess(tenant, declared);
    if (excess !== undefined) {
      refused.push(tenant.name);
      problems.push({ subject: `tenant ${tenant.name}`, message: excess });
    }
    problems.push(...withoutDatastore(tenant));
    if (tenant.volumes.length === 0) {
      warnings.push({
        subject: `tenant ${tenant.name}`,
        message: "has nothing in the backups: its guest starts empty",
      });
    }
  }
  const downloadBytes = sum(planned);
  return {
    target: catalogue.target,
    tenants,
    order: planned,
    downloadBytes,
    hours: hoursOf(downloadBytes, inputs.line),
    left,
    problems,
    warnings,
    refused,
  };
}

function plannedVolume(volume: CatalogueVolume, tenant: string): PlannedVolume {
  return {
    ...volume,
    tenant,
    guest: guestName(tenantNames(tenant).cluster, volume.claim) ?? null,
    isDatastore: volume.claim === tenantNames(tenant).datastoreClaim,
    downloadBytes: volume.backup.downloadBytes ?? volume.backup.bytes,
  };
}

/** Datastores first, then small before large; the rest only makes the order the same every time. */
export function inOrderOfRestore(a: PlannedVolume, b: PlannedVolume): number {
  return (
    Number(b.isDatastore) - Number(a.isDatastore) ||
    a.downloadBytes - b.downloadBytes ||
    (a.volume < b.volume ? -1 : a.volume > b.volume ? 1 : 0)
  );
}

function plannedTenant(name: string, volumes: readonly PlannedVolume[], line: RestoreInputs["line"]): PlannedTenant {
  const dates = volumes.map(({ backup }) => backup.created).sort();
  const downloadBytes = sum(volumes);
  return {
    name,
    namespace: tenantNames(name).namespace,
    volumes,
    downloadBytes,
    newestBackup: dates.at(-1) ?? null,
    oldestBackup: dates[0] ?? null,
    hours: hoursOf(downloadBytes, line),
  };
}

function hoursOf(bytes: number, line: RestoreInputs["line"]): number | null {
  return line === undefined ? null : bytes / restoreRate(line) / 3600;
}

function sum(volumes: readonly PlannedVolume[]): number {
  return volumes.reduce((total, { downloadBytes }) => total + downloadBytes, 0);
}

/** Why Kraft cannot bring a volume back by itself; undefined where it can. */
function unrestorable({ storageClass, encrypted, dataEngine }: CatalogueVolume): string | undefined {
  const classes = tiers.map((tier) => tier.storageClass);
  if (!classes.includes(storageClass)) {
    return `its storage class ${JSON.stringify(storageClass)} is none of Kraft's: ${classes.join(", ")}; restore it by hand, or add it to kraft:leaveOut`;
  }
  if (encrypted) {
    return "it is encrypted, and Kraft has no key of it; restore it by hand, or add it to kraft:leaveOut";
  }
  return dataEngine === "v1"
    ? undefined
    : `it is of the data engine ${dataEngine}, and Kraft runs v1 alone; restore it by hand, or add it to kraft:leaveOut`;
}

function notesOf(notes: Catalogue["notes"], concerned: (namespace: string | null) => boolean): Remark[] {
  return notes
    .filter(({ namespace }) => concerned(namespace) || namespace === null)
    .map(({ volume, namespace, claim, message }) => ({ subject: ownerText(volume, namespace, claim), message }));
}

/** A volume that is left out and does not exist is a slip of the pen: another was meant. */
function unknownLeaveOuts(catalogue: Catalogue, leaveOut: readonly string[]): Remark[] {
  const messages: readonly CatalogueMessage[] = [...catalogue.damaged, ...catalogue.unattached, ...catalogue.notes];
  const known = new Set([...catalogue.volumes, ...messages].map(({ volume }) => volume));
  return leaveOut
    .filter((volume) => !known.has(volume))
    .map((volume) => ({ subject: volume, message: "kraft:leaveOut names it, and the backups have no such volume" }));
}

function ownerText(volume: string, namespace: string | null, claim: string | null): string {
  return claim === null ? volume : `${volume} (${namespace ?? ""}/${claim})`;
}

/** Backups of one tenant that are of very different times, each held against its own schedule. */
function farApartRemarks({ name, volumes, newestBackup }: PlannedTenant): Remark[] {
  return volumes.flatMap(({ volume, claim, guest, isDatastore, storageClass, backup }) => {
    const hours = (Date.parse(newestBackup ?? "") - Date.parse(backup.created)) / 3_600_000;
    if (hours <= farApart * backupInterval(storageClass)) {
      return [];
    }
    const what = isDatastore ? "its guest's own datastore" : `claim ${guest?.name ?? claim}`;
    return [
      {
        subject: `tenant ${name}`,
        message: `the backups are of different times: ${what} (${volume}) of ${moment(new Date(backup.created))}, the newest of ${moment(new Date(newestBackup ?? ""))}`,
      },
    ];
  });
}

function backupInterval(storageClass: string): number {
  const of = (name: string) => tiers.find((tier) => tier.storageClass === name)?.group ?? "standard";
  const cron = scheduleOf(of(storageClass), "backup")?.cron ?? scheduleOf(of(defaultStorageClass), "backup")?.cron;
  return intervalHours(cron ?? "");
}

/** Kubernetes would refuse the claims, after hours of download. */
function quotaExcess(
  { volumes }: PlannedTenant,
  { size, quota, tier }: Pick<Tenant, "quota" | "size" | "tier">,
): string | undefined {
  const { hard } = objectQuota(tenantAllowance(size, quota), classLimits(tier, datastoreStorage));
  const excess = (some: readonly PlannedVolume[], most: string | undefined): string | undefined => {
    const needed = some.reduce((total, { sizeBytes }) => total + Math.ceil(sizeBytes / 1024 ** 2), 0);
    const allowed = most === undefined ? Infinity : most === "0" ? 0 : mebibytes(most);
    return needed > allowed ? `are ${byteQuantity(needed)}, and its quota allows ${most ?? ""}` : undefined;
  };
  const all = excess(volumes, hard["requests.storage"]);
  if (all !== undefined) {
    return `its volumes ${all}: raise quota.storage, or leave volumes out with kraft:leaveOut`;
  }
  for (const { storageClass } of tiers) {
    const own = volumes.filter((volume) => volume.storageClass === storageClass);
    const found = excess(own, hard[`${storageClass}.storageclass.storage.k8s.io/requests.storage`]);
    if (found !== undefined) {
      return `its volumes of ${storageClass} ${found}: give the tenant a better tier, or leave volumes out with kraft:leaveOut`;
    }
  }
  const claims = Number(hard["persistentvolumeclaims"]);
  return volumes.length > claims
    ? `it has ${volumes.length} volumes, and its quota allows ${claims}: leave some out with kraft:leaveOut`
    : undefined;
}

/** Without it the guest comes up new, and knows none of its volumes. */
function withoutDatastore({ name, volumes }: PlannedTenant): Remark[] {
  return volumes.length === 0 || volumes.some(({ isDatastore }) => isDatastore)
    ? []
    : [
        {
          subject: `tenant ${name}`,
          message: `the backups have no ${tenantNames(name).datastoreClaim}, the guest's own datastore: the guest would start empty and know none of its volumes`,
        },
      ];
}
