import { ApiError } from "../../cluster/api.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { Api } from "../api.ts";
import { longhornAccount, tokenHours } from "./account.ts";
import { longhornApi, type Stored } from "./objects.ts";

const plurals = {
  Backup: "backups",
  BackupTarget: "backuptargets",
  BackupVolume: "backupvolumes",
  Engine: "engines",
  Snapshot: "snapshots",
  Volume: "volumes",
} as const;

/** Kinds of Longhorn's that the simulation writes. */
export type Kind = keyof typeof plurals;

/** Longhorn's own, on everything that it has to clean up after. */
export const finalizer = "longhorn.io";

/** Says that a Backup or BackupVolume may go and what it stands for stays in the store (types/types.go). */
const onlyObjectLabel = "longhorn.io/delete-custom-resource-only";

/** Longhorn's objects in an API server, written as longhorn-manager would. */
export class LonghornApi {
  readonly api: Api;
  #account: Api | undefined;
  /** Milliseconds since 1970 at which the account's token is asked for anew. */
  #accountUntil = 0;

  constructor(api: Api) {
    this.api = api;
  }

  list<Object>(kind: Kind): Promise<readonly Object[]> {
    return this.api.list<Object>(`${longhornApi}/${plurals[kind]}`);
  }

  /** @param manager Who owns the fields: what the same one does not name again is taken away. */
  async apply(
    kind: Kind,
    name: string,
    { metadata, ...rest }: { readonly metadata?: object; readonly spec?: object },
    manager = "longhorn-manager",
  ): Promise<void> {
    await this.api.apply(
      this.#path(kind, name),
      {
        apiVersion: "longhorn.io/v1beta2",
        kind,
        metadata: { name, namespace: platformNamespaces.longhorn, ...metadata },
        ...rest,
      },
      manager,
    );
  }

  async applyStatus(kind: Kind, name: string, status: object): Promise<void> {
    await this.api.apply(
      `${this.#path(kind, name)}/status`,
      {
        apiVersion: "longhorn.io/v1beta2",
        kind,
        metadata: { name, namespace: platformNamespaces.longhorn },
        status,
      },
      "longhorn-manager-status",
    );
  }

  /** Takes Longhorn's finalizer off what is being deleted, as it does when it has cleaned up. */
  async letGo(kind: Kind, { metadata }: Stored): Promise<void> {
    if ((metadata.finalizers ?? []).includes(finalizer)) {
      await this.apply(kind, metadata.name, { metadata: { uid: metadata.uid } });
    }
  }

  /** Deletes what stands for something in a store, and nothing in the store. */
  async deleteOnlyObject(kind: Kind, { metadata: { name, uid } }: Stored): Promise<void> {
    await this.apply(
      kind,
      name,
      { metadata: { uid, labels: { [onlyObjectLabel]: "true" } } },
      "longhorn-manager-deletion",
    );
    await this.delete(kind, name);
  }

  async delete(kind: Kind, name: string): Promise<void> {
    await this.deletePath(this.#path(kind, name));
  }

  /** Deletes as Longhorn's own account: nobody else may. */
  async deletePath(path: string): Promise<void> {
    if (this.#account === undefined || Date.now() > this.#accountUntil) {
      this.#account = await longhornAccount(this.api);
      this.#accountUntil = Date.now() + (tokenHours * 3_600_000) / 2;
    }
    try {
      await this.#account.delete(path);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) {
        throw error;
      }
    }
  }

  /** Creates an object, unless it is there. */
  async create(collection: string, object: object): Promise<void> {
    try {
      await this.api.create(collection, object);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) {
        throw error;
      }
    }
  }

  #path(kind: Kind, name: string): string {
    return `${longhornApi}/${plurals[kind]}/${name}`;
  }
}

export function isBeingDeleted({ metadata }: Stored): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Whether what is being deleted is only to leave the API. */
export function isOnlyObject({ metadata }: Stored): boolean {
  return metadata.labels?.[onlyObjectLabel] !== undefined;
}
