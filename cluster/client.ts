import { ConfigError } from "../errors/problem.ts";
import { existsSync } from "node:fs";
import type { OutgoingHttpHeaders } from "node:http";
import { request, type RequestOptions } from "node:https";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Config } from "../infra/config/schema.ts";
import { Failure, messageOf } from "../errors/failure.ts";
import type { Stack } from "../stacks/index.ts";
import { certificateEnd } from "./certificate.ts";
import type { Path } from "./paths.ts";
import { renewalOf } from "../infra/renewal.ts";

/** The host cluster of a stack, for reading only. */
export interface Host {
  readonly context: string;
  readonly uid: string;
  /** The object at a path; undefined where there is none. */
  get<Kind>(path: Path<Kind> | string): Promise<Kind | undefined>;
  /** The objects of a collection; none where the cluster has no such kind. */
  list<Kind>(path: Path<Kind> | string): Promise<readonly Kind[]>;
  /** The names of the objects of a collection. Of a CustomResourceDefinition the rest is a hundred times as much. */
  names(path: string): Promise<readonly string[]>;
}

/** The host cluster of a stack, for the few verbs that change something. */
export interface WritableHost extends Host {
  /**
   * Server-side apply: the same object twice changes nothing, and a field that somebody else owns is refused.
   *
   * @returns the object as the API server completed it
   */
  apply<Kind>(path: string, object: object, fieldManager: string): Promise<Kind>;
  /** JSON merge patch: what is null in it is taken out, whoever wrote it. */
  merge(path: string, patch: object): Promise<void>;
  /**
   * Deletes an object; nothing happens where there is none.
   *
   * @param uid Where it is given, only the object with this UID is deleted, never another of the same name.
   */
  delete(path: string, uid?: string): Promise<void>;
}

/** A cluster as it was reached. */
export interface ConnectedHost extends WritableHost {
  /** When the client certificate ends by which it was reached; undefined where something else opens it. */
  readonly certificateEnd: Date | undefined;
}

/** Which cluster is meant, and where that was written. */
export interface HostAddress {
  readonly cluster: Config["cluster"];
  /** The file that names it, for messages. */
  readonly file: string;
  /** Folder that a relative path of the kubeconfig is relative to. */
  readonly directory: string;
  readonly stack: Pick<Stack, "name" | "distribution">;
  /** Whether Kraft runs the machines. */
  readonly managed: boolean;
}

/** Milliseconds that the cluster has for one answer. */
const timeout = 15_000;

/** How often an API server that is busy is asked, a second apart, which is what it asks for itself. */
const attempts = 5;

/**
 * Reaches the cluster of a stack file with the context that it names, and makes sure that it is the right one.
 *
 * @throws ConfigError where kubeconfig, context or UID do not fit, as a preview would, and where its certificate has ended.
 * @throws Failure where the cluster does not answer.
 */
export async function connect({ cluster, file, directory, stack, managed }: HostAddress): Promise<ConnectedHost> {
  const path = kubeconfigPath(cluster.kubeconfig, directory);
  const refused = (key: string, found: string, allowed: string, fix: string): ConfigError =>
    new ConfigError(file, [{ key: `kraft:cluster.${key}`, found, allowed, fix }]);
  if (!existsSync(path)) {
    throw refused(
      "kubeconfig",
      `${JSON.stringify(cluster.kubeconfig)}, where there is no file`,
      "the path of a kubeconfig",
      stack.distribution === "embedded"
        ? "start the embedded cluster: npm run local"
        : "put the cluster's kubeconfig there, see docs/first-steps.md",
    );
  }
  // Most of this program's start would be this library's; whoever asks no cluster does without.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    throw refused(
      "kubeconfig",
      `${JSON.stringify(cluster.kubeconfig)}, which cannot be read: ${messageOf(error).split("\n")[0] ?? ""}`,
      "a kubeconfig",
      "fetch it anew, see docs/first-steps.md",
    );
  }
  const contexts = config.getContexts().map(({ name }) => name);
  if (!contexts.includes(cluster.context)) {
    throw refused(
      "context",
      JSON.stringify(cluster.context),
      contexts.length === 0 ? "no context: the kubeconfig has none" : contexts.join(", "),
      "name one of them, or rename it: kubectl config rename-context",
    );
  }
  config.setCurrentContext(cluster.context);
  const where = `context ${cluster.context} of ${cluster.kubeconfig}`;
  const access = await accessOf(config, where);
  // The server would say no more than that it does not know who asks.
  if (access.certificateEnd !== undefined && access.certificateEnd <= new Date()) {
    throw refused(
      "kubeconfig",
      `${JSON.stringify(cluster.kubeconfig)}, whose client certificate ended at ${access.certificateEnd.toISOString()}`,
      "a kubeconfig whose certificate has not ended",
      renewalOf(stack, managed).after,
    );
  }
  const host = open(access, where);
  const system = await host.get<{ readonly metadata: { readonly uid: string } }>("/api/v1/namespaces/kube-system");
  const uid = system?.metadata.uid ?? "";
  if (uid !== cluster.uid) {
    throw refused(
      "uid",
      `${JSON.stringify(cluster.uid)}, but context ${cluster.context} of ${cluster.kubeconfig} is the cluster ${uid}`,
      "a kubeconfig that points at the cluster of this stack",
      `correct kraft:cluster.kubeconfig or kraft:cluster.context; only if the cluster was rebuilt: pulumi config set --path kraft:cluster.uid ${uid}`,
    );
  }
  return { context: cluster.context, uid, certificateEnd: access.certificateEnd, ...host };
}

/** `~/` is the home folder, and what is relative is so to the stack file, as for Pulumi. */
export function kubeconfigPath(path: string, directory: string, home: string = homedir()): string {
  return path.startsWith("~/") ? join(home, path.slice(2)) : resolve(directory, path);
}

/** Where a cluster is asked, and as whom. */
interface Access {
  readonly server: string;
  readonly options: RequestOptions;
  readonly certificateEnd: Date | undefined;
}

async function accessOf(config: KubeConfig, where: string): Promise<Access> {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new Failure(`${where} names no cluster with a server`);
  }
  const options: RequestOptions = {};
  try {
    // The library's types come with another version of Node's.
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
    // What the library found, in the kubeconfig or beside it. It is one certificate and those that vouch for it.
    const certificate = options.cert as string | Buffer | undefined;
    return { server, options, certificateEnd: certificate === undefined ? undefined : certificateEnd(certificate) };
  } catch (error) {
    throw new Failure(`${where} cannot be used: ${messageOf(error)}`);
  }
}

function open({ server, options }: Access, where: string): Omit<WritableHost, "context" | "uid"> {
  /** The object that the API server answered with; undefined where there is none. */
  const ask = async <Kind>(method: string, path: string, sent: Request = {}): Promise<Kind | undefined> => {
    let answer: Answer;
    try {
      answer = await sendAgain(new URL(path, server), { ...options, method }, sent);
    } catch (error) {
      throw new Failure(
        `${server} does not answer (${where}): ${messageOf(error)}\n  Is the cluster on, and does the address still fit?`,
      );
    }
    // A rule of admission answers 403 too, and its words are for whoever wrote the object.
    if (answer.status === 401 || (answer.status === 403 && method === "GET")) {
      throw new Failure(
        `${server} refuses the credentials of ${where}: ${statusMessage(answer.text)}\n  Fetch the kubeconfig anew; its certificate may have expired.`,
      );
    }
    if (answer.status === 404 && method !== "PATCH") {
      return undefined;
    }
    if (answer.status >= 300) {
      throw new Failure(
        `${method === "GET" ? "" : `${method} `}${server}${path}: ${answer.status} ${statusMessage(answer.text)}`,
      );
    }
    return JSON.parse(answer.text) as Kind;
  };
  const get = <Kind>(path: string): Promise<Kind | undefined> => ask<Kind>("GET", path);
  return {
    get,
    list: async <Kind>(path: string) => (await get<{ readonly items: readonly Kind[] }>(path))?.items ?? [],
    names: async (path) => {
      const found = await ask<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>(
        "GET",
        path,
        { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" },
      );
      return (found?.items ?? []).map(({ metadata }) => metadata.name);
    },
    apply: async <Kind>(path: string, object: object, fieldManager: string) =>
      (await ask<Kind>("PATCH", `${path}?fieldManager=${encodeURIComponent(fieldManager)}`, {
        body: object,
        type: "application/apply-patch+yaml",
      })) as Kind,
    merge: async (path, patch) => {
      await ask("PATCH", path, { body: patch, type: "application/merge-patch+json" });
    },
    delete: async (path, uid) => {
      await ask("DELETE", path, uid === undefined ? undefined : { body: { preconditions: { uid } } });
    },
  };
}

/** What is sent beside method and path. */
interface Request {
  readonly body?: object | undefined;
  /** What kind of body it is. Default: JSON. */
  readonly type?: string | undefined;
  /** Form of the answer. Default: JSON. */
  readonly accept?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An API server that is busy, or has just learned of a kind, says so and wants to be asked again. */
async function sendAgain(url: URL, options: RequestOptions, sent: Request): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send(url, options, sent);
    if (answer.status !== 429 || attempt === attempts) {
      return answer;
    }
    await sleep(1000);
  }
}

function send(url: URL, options: RequestOptions, sent: Request): Promise<Answer> {
  const { body, type = "application/json", accept = "application/json" } = sent;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.headers as OutgoingHttpHeaders | undefined),
      accept,
      ...(text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }),
    };
    const call = request(url, { ...options, headers, timeout }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") });
      });
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    call.on("error", reject);
    call.end(text);
  });
}

/** The message of a Status object, or the text itself. */
function statusMessage(text: string): string {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text;
  }
}
