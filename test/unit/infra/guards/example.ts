import type { LiveState, LiveTenant } from "../../../../cluster/live-state.ts";
import type { RetainedVolume } from "../../../../cluster/retained.ts";
import { tenantNames } from "../../../../components/plan/names.ts";
import { validate } from "../../../../infra/config/validate.ts";
import type { Model } from "../../../../infra/model.ts";
import { stacks } from "../../../../stacks/index.ts";
import { stackFile } from "../../../fixtures/stack-file.ts";

/** The model of the valid stack file, with other values for some keys. */
export function model(change: Partial<Model> = {}): Model {
  return { ...validate("homelab", stacks, stackFile().raw), ...change };
}

/** The target that the valid stack file names. */
export const target = "s3://kraft-backup@eu-central-2/homelab/";

/** A cluster in which the valid stack file was carried out. */
export function live(change: Partial<LiveState> = {}): LiveState {
  return {
    tenants: [liveTenant("acme")],
    volumes: [],
    retained: [],
    dataDefinitions: ["volumes.longhorn.io", "clusters.k3k.io"],
    target,
    managedBucket: false,
    schedules: true,
    ...change,
  };
}

/** A tenant with a guest and the claim of its datastore. */
export function liveTenant(name: string, change: Partial<LiveTenant> = {}): LiveTenant {
  return {
    name,
    guest: true,
    pods: [],
    claims: [{ name: `varlibrancherk3s-k3k-${name}-server-0`, volume: `pvc-${name}` }],
    ingresses: [],
    ...change,
  };
}

/** A cluster in which nothing was ever declared. */
export const nothing: LiveState = {
  tenants: [],
  volumes: [],
  retained: [],
  dataDefinitions: [],
  managedBucket: false,
  schedules: false,
};

/** A volume of acme whose claim ended together with the guest, at 2026-11-25 19:00. */
export function retained(claim: string, change: Partial<RetainedVolume> = {}): RetainedVolume {
  return {
    volume: claim === tenantNames("acme").datastoreClaim ? "pvc-acme" : `pvc-${claim}`,
    namespace: "k3k-acme",
    claim,
    createdAt: "2026-11-01T00:00:00Z",
    claimEndedAt: "2026-11-25T19:00:00Z",
    lastUsedAt: "2026-11-25T19:00:30Z",
    isInUse: false,
    isUnused: false,
    isFaulted: false,
    isFreed: false,
    hasPersistentVolume: true,
    lastBackupAt: "2026-11-25T01:00:00Z",
    sizeBytes: 2 ** 30,
    storageClass: "kraft-standard",
    accessMode: "rwo",
    isBlock: false,
    encrypted: false,
    ...change,
  };
}
