import type { Identity } from "../identities.ts";
import { collectionPath } from "../paths.ts";
import { type GuestCluster, type KubernetesObject, synced } from "../translate.ts";

/** A request that must be refused. */
export interface Attack {
  /** What would be gained, unique in the list. */
  readonly name: string;
  /** Ids of the SIG multi-tenancy benchmark, and of other published lists. */
  readonly covers?: readonly string[];
  readonly as: Identity;
  readonly method: "DELETE" | "GET" | "POST" | "PUT";
  readonly path: string;
  readonly object?: object;
  /** What the tenant wrote in the guest, where the object is K3k's copy of it. */
  readonly guestObject?: KubernetesObject;
  /** What the answer has to say, in part. */
  readonly refusal: string;
}

/** The guest that attacks. */
export const acme: GuestCluster = {
  name: "acme",
  namespace: "k3k-acme",
  uid: "11111111-1111-1111-1111-111111111111",
};

/** Changes a fresh copy of an honest object into an attack. */
export type Change<Kind extends KubernetesObject> = (object: Kind) => void;

/** What a tenant writes in the guest, as K3k's syncer of release 1.1.0, the less careful one, brings it to the host. */
export function throughGuest<Kind extends KubernetesObject>(
  name: string,
  honest: Kind,
  change: Change<Kind>,
  refusal: string,
  covers: readonly string[] = [],
): Attack {
  const object = structuredClone(honest);
  change(object);
  const onHost = synced(acme, object, { release: "1.1.0", priorityClass: "kraft-tenant", translateTls: false });
  return { ...create(name, "k3k-kubelet", onHost, refusal, covers), guestObject: object };
}

/** An object that somebody sends to the host directly. */
export function create(
  name: string,
  as: Identity,
  object: KubernetesObject,
  refusal: string,
  covers: readonly string[] = [],
): Attack {
  const path = collectionPath(object.kind, object.metadata.namespace);
  return { name, covers, as, method: "POST", path, object, refusal };
}

/** A request without an object. */
export function request(
  name: string,
  as: Identity,
  method: "DELETE" | "GET" | "POST",
  path: string,
  refusal: string,
  covers: readonly string[] = [],
): Attack {
  return { name, covers, as, method, path, refusal };
}
