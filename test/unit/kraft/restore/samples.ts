import { syncedName, tenantNames } from "../../../../components/plan/names.ts";
import type { Catalogue, CatalogueVolume } from "../../../../infra/catalogue/catalogue.ts";
import type { RestoreInputs } from "../../../../kraft/restore/plan.ts";

export const target = "s3://kraft-backup@eu-central-2/homelab/";

/** A volume of a tenant's as the catalogue has it. */
export function volume(
  tenant: string,
  name: string,
  changes: Partial<Omit<CatalogueVolume, "backup">> & {
    readonly created?: string;
    readonly downloadBytes?: number;
  } = {},
): CatalogueVolume {
  const { created = "2026-11-24T00:45:00.000Z", downloadBytes = 1e9, ...rest } = changes;
  const { namespace, datastoreClaim, cluster } = tenantNames(tenant);
  const id = rest.volume ?? `pvc-${tenant}-${name}`;
  return {
    volume: id,
    namespace,
    claim: name === "datastore" ? datastoreClaim : syncedName(cluster, { name, namespace: "default" }),
    sizeBytes: 5 * 1024 ** 3,
    storageClass: "kraft-standard",
    accessMode: "rwo",
    encrypted: false,
    dataEngine: "v1",
    backup: {
      name: `backup-${id}`,
      created,
      url: `${target}?backup=backup-${id}&volume=${id}`,
      bytes: 2e9,
      downloadBytes,
    },
    backups: 30,
    ...rest,
  };
}

export function catalogue(volumes: readonly CatalogueVolume[], changes: Partial<Catalogue> = {}): Catalogue {
  return { target, volumes, damaged: [], unattached: [], notes: [], ...changes };
}

export const inputs = {
  tenants: [
    { name: "acme", size: "small", quota: {}, state: "active", tier: "standard" },
    { name: "blue", size: "small", quota: {}, state: "active", tier: "standard" },
  ],
  leaveOut: [],
  line: { downlinkMbps: 200 },
} as const satisfies RestoreInputs;
