import { dataLostWith } from "./data-loss.ts";
import type { FieldChange } from "./fields.ts";
import type { Identity } from "./identity.ts";

/** What can happen to an object, the most destructive first. */
export const operations = ["delete", "replace", "update", "create"] as const;

export type Operation = (typeof operations)[number];

/** An object and the program's own name for it, for example `tenant-acme-cluster`. */
export interface DeclaredIdentity extends Identity {
  readonly resource: string;
}

/** What happens to one object of the cluster. */
export interface Change extends DeclaredIdentity {
  readonly operation: Operation;
  readonly fields: readonly FieldChange[];
  /** What would be lost with the object; only of one that is deleted or replaced. */
  readonly loss?: string;
  /** The object is no longer declared but stays in the cluster, unmanaged. */
  readonly kept?: true;
  /** Pulumi refuses this: the object is protected. */
  readonly refused?: true;
}

/** A change, with what follows from its operation: what would be lost, what stays, what Pulumi refuses. */
export function change(
  identity: DeclaredIdentity,
  operation: Operation,
  fields: readonly FieldChange[] = [],
  { retainOnDelete, protect }: { readonly retainOnDelete?: boolean; readonly protect?: boolean } = {},
): Change {
  const destructive = isDestructive({ operation });
  return {
    ...identity,
    operation,
    fields,
    loss: destructive ? dataLostWith(identity) : undefined,
    kept: operation === "delete" && retainOnDelete === true ? true : undefined,
    refused: destructive && protect === true ? true : undefined,
  };
}

/** Whether an object is removed, if only to be created anew. */
export function isDestructive({ operation }: Pick<Change, "operation">): boolean {
  return operation === "delete" || operation === "replace";
}

/** The order in which changes are shown: the most destructive first, then by owner, kind and name. */
export function sorted(changes: readonly Change[]): Change[] {
  const key = ({ operation, owner, kind, namespace = "", name }: Change): string =>
    [operations.indexOf(operation), owner, kind, namespace, name].join("\0");
  return [...changes].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
