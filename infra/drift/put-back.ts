import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { type Api, ApiError } from "../../cluster/api.ts";
import { messageOf } from "../../errors/failure.ts";
import { record } from "../config/pulumi-files.ts";
import { declaringManager, isForeign, type ManagedObject, takenOver, unseenFields } from "./added-fields.ts";
import { handChangeText } from "./drift-message.ts";
import { type Fields, valueAt } from "./fields.ts";
import { kindsToRead } from "./isolating-kinds.ts";
import { ownerOf } from "./owner.ts";

/** What of the API this needs. */
export type EditableHost = Pick<Api, "apply" | "get" | "list" | "patch">;

/** An object that Pulumi declared and somebody else has written to. */
interface EditedObject {
  readonly path: string;
  readonly manager: string;
  readonly live: ManagedObject;
}

/** The objects of the kinds that keep tenants apart to which somebody has written by hand, by `keyOf`. */
export type HandEdits = ReadonlyMap<string, EditedObject>;

function keyOf(apiVersion: unknown, kind: unknown, { namespace, name }: Fields): string {
  return [apiVersion, kind, namespace ?? "", name].map(String).join(" ");
}

/** Reads, in one request for each kind, to which objects somebody has written. */
export async function readHandEdits(host: Pick<EditableHost, "list">): Promise<HandEdits> {
  const found = await Promise.all(
    kindsToRead.map(async ({ apiVersion, kind, path }) =>
      (await host.list<ManagedObject>(path)).flatMap((live) => {
        const { namespace, name } = live.metadata;
        const manager = declaringManager(live);
        if (manager === undefined || !isForeign(live)) {
          return [];
        }
        const at = `${namespace === undefined ? path : path.replace(/\/([^/]+)$/, `/namespaces/${namespace}/$1`)}/${name}`;
        return [[keyOf(apiVersion, kind, { namespace, name }), { path: at, manager, live }] as const];
      }),
    ),
  );
  return new Map(found.flat());
}

/**
 * Compares each of these objects with what the program declares, as soon as it declares it. A preview tells what differs and
 * no refresh sees; an `up` also takes the fields over and applies what is declared, so that it is as before the edit.
 */
export function putBackHandEdits(host: EditableHost, edits: HandEdits): void {
  // Every resource of the program would pass through the transform: without an edit there is none.
  if (edits.size === 0) {
    return;
  }
  const isPreview = pulumi.runtime.isDryRun();
  const transform: pulumi.ResourceTransform = async ({ type, name, props, opts }) => {
    if (!type.startsWith("kubernetes:")) {
      return undefined;
    }
    const sent = record(await resolved(props));
    const { apiVersion, kind, metadata } = sent;
    const edited = edits.get(keyOf(apiVersion, kind, record(metadata)));
    if (edited === undefined) {
      return undefined;
    }
    const ignored = (opts as pulumi.CustomResourceOptions).ignoreChanges ?? [];
    const declared = withLive(sent, edited.live, ignored);
    const fields = unseenFields(edited.live, declared);
    for (const { path, live, declared: wanted, manager, time } of fields) {
      const { namespace, name: object } = edited.live.metadata;
      const owner = ownerOf(name, false, declared);
      const identity = { owner, apiVersion: String(apiVersion), kind: String(kind), namespace, name: object };
      const text = handChangeText({ ...identity, path, live, declared: wanted, writer: `${manager}, ${time}` });
      await pulumi.log.warn(`${text}; up puts it back`);
    }
    if (!isPreview) {
      try {
        await putBack(host, edited, declared);
      } catch (error) {
        // An error here would leave the resource undeclared, and Pulumi might delete it.
        await pulumi.log.error(`${edited.path} cannot be put back: ${messageOf(error)}`);
      }
    }
    return undefined;
  };
  // The engine calls it from outside the program, where an inline run knows neither the log nor whether it is a preview.
  pulumi.runtime.registerResourceTransform(AsyncResource.bind(transform));
}

/** How often an object is read anew because somebody wrote to it in between: a quota changes with every pod. */
const attempts = 10;

async function putBack(host: EditableHost, { path, manager }: EditedObject, declared: Fields): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await host.get<ManagedObject>(path);
    if (live === undefined) {
      // Pulumi makes it anew.
      return;
    }
    try {
      await host.patch(path, [
        // Whoever writes in between is not overwritten.
        { op: "test", path: "/metadata/resourceVersion", value: live.metadata.resourceVersion },
        { op: "replace", path: "/metadata/managedFields", value: takenOver(live, manager) },
      ]);
      break;
    } catch (error) {
      if (!(error instanceof ApiError) || ![409, 422].includes(error.status) || attempt === attempts) {
        throw error;
      }
    }
  }
  await host.apply(path, declared, manager, true);
}

/** Properties as they are sent, without Pulumi's wrapping of secrets and of values that are known later. */
function resolved(props: Fields): Promise<unknown> {
  return new Promise((resolve) => {
    pulumi.output(props).apply(resolve);
  });
}

/** What is declared, with the live value of whatever Pulumi is told to leave alone. */
function withLive(declared: Fields, live: ManagedObject, ignored: readonly string[]): Fields {
  return ignored.reduce<Fields>((object, path) => withValue(object, path.split("."), valueAt(live, path)), declared);
}

function withValue(object: Fields, [key = "", ...rest]: readonly string[], value: unknown): Fields {
  return { ...object, [key]: rest.length === 0 ? value : withValue(record(object[key]), rest, value) };
}
