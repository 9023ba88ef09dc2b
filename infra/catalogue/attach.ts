import { tenantNames, tenantOfNamespace } from "../../components/plan/names.ts";
import type { CatalogueMessage, CatalogueVolume } from "./entries.ts";
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
  const claimed = new Map<string, { readonly candidate: Candidate; readonly attachment: Attachment }[]>();
  for (const candidate of candidates) {
    const { attachment } = candidate;
    if (attachment === undefined) {
      unattached.push({
        volume: candidate.volume.volume,
        ...owner(undefined),
        message: "its backups do not say which claim it belongs to",
      });
      continue;
    }
    const key = `${attachment.namespace}/${attachment.claim}`;
    claimed.set(key, [...(claimed.get(key) ?? []), { candidate, attachment }]);
  }
  const volumes: CatalogueVolume[] = [];
  for (const [key, rivals] of claimed) {
    // The volume that had the claim last; of several, the one that was backed up last.
    rivals.sort((a, b) => held(b.attachment) - held(a.attachment) || age(a.candidate) - age(b.candidate));
    const [first, ...others] = rivals;
    if (first === undefined) {
      continue;
    }
    const { candidate, attachment } = first;
    const { released } = attachment;
    if (released !== undefined && released < datastoreBackup(candidates, attachment.namespace)) {
      unattached.push({
        volume: candidate.volume.volume,
        ...owner(attachment),
        message: `its claim ${key} was deleted on ${released.toISOString()}`,
      });
    } else {
      volumes.push({ ...candidate.volume, namespace: attachment.namespace, claim: attachment.claim });
    }
    unattached.push(
      ...others.map((other) => ({
        volume: other.candidate.volume.volume,
        ...owner(attachment),
        message: `its claim ${key} has the volume ${candidate.volume.volume} now`,
      })),
    );
  }
  return {
    volumes: volumes.sort((a, b) => compare(`${a.namespace}/${a.claim}`, `${b.namespace}/${b.claim}`)),
    unattached: unattached.sort((a, b) => compare(a.volume, b.volume)),
  };
}

/** Whose a volume is, as a message says it. */
export function owner(attachment: Attachment | undefined): Pick<CatalogueMessage, "claim" | "namespace"> {
  return { namespace: attachment?.namespace ?? null, claim: attachment?.claim ?? null };
}

function held({ released }: Attachment): number {
  return released === undefined ? 1 : 0;
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

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
