import { tenantNames, tenantOfNamespace } from "../../components/plan/names.ts";
import type { Attachment } from "./metadata.ts";

/** A volume that can be restored, and the claim that it is known to belong to. */
export interface Candidate {
  readonly volume: Omit<CatalogueVolume, "claim" | "namespace">;
  readonly attachment: Attachment | undefined;
}

/**
 * Gives every claim its volume. A volume whose claim was deleted before the guest's datastore was backed up is unknown to
 * that guest, and would block a new claim of the same name: it stays in the bucket.
 */
export function attach(candidates: readonly Candidate[]): {
  readonly volumes: readonly CatalogueVolume[];
  readonly unattached: readonly CatalogueMessage[];
} {
  const unattached: CatalogueMessage[] = [];
  const leave = ({ volume: { volume }, attachment }: Candidate, message: string): void => {
    unattached.push({ volume, ...owner(attachment), message });
  };
  const volumes: CatalogueVolume[] = [];
  const byClaim = Map.groupBy(
    candidates,
    ({ attachment }) => attachment && `${attachment.namespace}/${attachment.claim}`,
  );
  for (const [key, rivals] of byClaim) {
    // The volume that had the claim last; of several, the one that was backed up last.
    const [first, ...others] = rivals.toSorted((a, b) => held(b) - held(a) || age(a) - age(b));
    if (key === undefined || first?.attachment === undefined) {
      for (const candidate of rivals) {
        leave(candidate, "its backups do not say which claim it belongs to");
      }
      continue;
    }
    const { namespace, claim, released } = first.attachment;
    if (released !== undefined && released < datastoreBackup(candidates, namespace)) {
      leave(first, `its claim ${key} was deleted on ${released.toISOString()}`);
    } else {
      volumes.push({ ...first.volume, namespace, claim });
    }
    for (const other of others) {
      leave(other, `its claim ${key} has the volume ${first.volume.volume} now`);
    }
  }
  return {
    volumes: volumes.sort((a, b) => compare(`${a.namespace}/${a.claim}`, `${b.namespace}/${b.claim}`)),
    unattached: unattached.sort((a, b) => compare(a.volume, b.volume)),
  };
}

/** The claim of a volume, as a message names it. */
export function owner(attachment: Attachment | undefined): Pick<CatalogueMessage, "claim" | "namespace"> {
  return { namespace: attachment?.namespace ?? null, claim: attachment?.claim ?? null };
}

function held({ attachment }: Candidate): number {
  return attachment?.released === undefined ? 1 : 0;
}

/** Grows with age. */
function age({ volume }: Candidate): number {
  return -Date.parse(volume.backup.created);
}

/** When the datastore of the guest in a namespace was backed up; the end of time where there is none. */
function datastoreBackup(candidates: readonly Candidate[], namespace: string): Date {
  const { datastoreClaim } = tenantNames(tenantOfNamespace(namespace) ?? namespace);
  const datastore = candidates.find(
    ({ attachment }) => attachment?.namespace === namespace && attachment.claim === datastoreClaim,
  );
  return datastore === undefined ? new Date(8.64e15) : new Date(datastore.volume.backup.created);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A volume that can come back. */
export interface CatalogueVolume {
  readonly volume: string;
  readonly namespace: string;
  /** Name of the claim on the host; of a guest's volume the one that K3k gave it. */
  readonly claim: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  /** Longhorn's words: of one node, of one pod, or of many. */
  readonly accessMode: "rwo" | "rwop" | "rwx";
  readonly encrypted: boolean;
  readonly dataEngine: string;
  /** The newest backup that is whole. */
  readonly backup: CatalogueBackup;
  /** How many there are in all, the broken ones included. */
  readonly backups: number;
}

/** One backup. */
export interface CatalogueBackup {
  readonly name: string;
  /** RFC 3339: when its snapshot was made, which is how old its data is. */
  readonly created: string;
  /** As Longhorn names it, in `status.url` of its Backup and `spec.fromBackup` of a volume. */
  readonly url: string;
  /** Of all its blocks, uncompressed. */
  readonly bytes: number;
  /** That a restore downloads; null where blocks were not looked at. */
  readonly downloadBytes: number | null;
}

/** Something about a volume that the operator has to know. */
export interface CatalogueMessage {
  readonly volume: string;
  /** Whose it is; null where nothing says so. */
  readonly namespace: string | null;
  readonly claim: string | null;
  readonly message: string;
}
