import type { OutgoingHttpHeaders } from "node:http";
import { request, type RequestOptions } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { fieldManager } from "../components/plan/names.ts";
import { Failure, messageOf } from "../errors/failure.ts";
import type { KubernetesObject } from "./objects.ts";
import type { Path } from "./paths.ts";

/** Milliseconds that an API server has for one answer. */
const timeout = 15_000;

/** How often an API server that is busy is asked, a second apart, which is what it asks for itself. */
const attempts = 5;

/** Where an API server is, and as whom it is asked. */
export interface ApiAccess {
  readonly server: string;
  /** Certificates, tokens, and what else every request carries. */
  readonly options: RequestOptions;
  /** For messages, for example `context kraft-homelab of ~/.kube/kraft-homelab.yaml`. */
  readonly where: string;
}

type Method = "DELETE" | "GET" | "PATCH" | "POST" | "PUT";

/** What is sent beside method and path. */
export interface ApiRequest {
  readonly body?: object;
  /** What kind of body it is. Default: JSON. */
  readonly type?: string;
  /** Form of the answer. Default: JSON. */
  readonly accept?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** The API server answered, and did not do what it was asked. */
export class ApiError extends Failure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The few calls that Kraft makes to an API server, by path. Not those of `@kubernetes/client-node`: loading it takes 0.6 s, a
 * tenth of a preview, and this file 0.03 s (Node 24, two cores, 2026-11-28).
 */
export class Api {
  readonly #access: ApiAccess;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** The object at a path; undefined where there is none. */
  get<Kind = KubernetesObject>(path: Path<Kind> | string): Promise<Kind | undefined> {
    return this.#ask<Kind>("GET", path);
  }

  /** The objects of a collection; none where the cluster has no such kind. */
  async list<Kind = KubernetesObject>(path: Path<Kind> | string): Promise<readonly Kind[]> {
    return (await this.get<{ readonly items: readonly Kind[] }>(path))?.items ?? [];
  }

  /** The names of the objects of a collection. Of a CustomResourceDefinition the rest is a hundred times as much. */
  async names(path: string): Promise<readonly string[]> {
    const found = await this.#ask<{ readonly items: readonly KubernetesObject[] }>("GET", path, {
      accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    });
    return (found?.items ?? []).map(({ metadata }) => metadata.name);
  }

  /** @returns the object as the API server completed it */
  async create<Kind = KubernetesObject>(path: string, object: object): Promise<Kind> {
    return (await this.#ask<Kind>("POST", path, { body: object })) as Kind;
  }

  /**
   * Server-side apply: the same object twice changes nothing. Only `force` takes over fields that somebody else owns.
   */
  async apply<Kind = KubernetesObject>(
    path: string,
    object: object,
    fieldManager: string,
    force = false,
  ): Promise<Kind> {
    const query = `fieldManager=${encodeURIComponent(fieldManager)}${force ? "&force=true" : ""}`;
    return (await this.#ask<Kind>("PATCH", `${path}?${query}`, {
      body: object,
      type: "application/apply-patch+yaml",
    })) as Kind;
  }

  /** JSON merge patch, as Kraft: what is null in it is taken out, whoever wrote it. */
  async merge(path: string, patch: object): Promise<void> {
    await this.#ask("PATCH", `${path}?fieldManager=${fieldManager}`, {
      body: patch,
      type: "application/merge-patch+json",
    });
  }

  /** JSON patch: one operation after the other, all or none of them. */
  async patch(path: string, operations: readonly object[]): Promise<void> {
    await this.#ask("PATCH", path, { body: operations, type: "application/json-patch+json" });
  }

  /** Deletes an object if it is there; with `uid` only the very object that has it, never another of the same name. */
  async delete(path: string, uid?: string): Promise<void> {
    await this.#ask("DELETE", path, uid === undefined ? {} : { body: { preconditions: { uid } } });
  }

  /** What the API server answers, whatever that is. */
  send(method: Method, path: string, sent: ApiRequest = {}): Promise<ApiAnswer> {
    const { server, options } = this.#access;
    return send(new URL(path, server), { ...options, method }, sent);
  }

  /** The object that the API server answered with; undefined where there is none. */
  async #ask<Kind>(method: Method, path: string, sent?: ApiRequest): Promise<Kind | undefined> {
    const { server, where } = this.#access;
    const { status, text } = await this.#sendAgain(method, path, sent);
    if (status < 300) {
      return JSON.parse(text) as Kind;
    }
    if (status === 404 && (method === "GET" || method === "DELETE")) {
      return undefined;
    }
    // A rule of admission answers 403 too, and its words are for whoever wrote the object.
    if (status === 401 || (status === 403 && method === "GET")) {
      throw new ApiError(
        status,
        `${server} refuses the credentials of ${where}: ${statusMessage(text)}\n  Fetch the kubeconfig anew; its certificate may have expired.`,
      );
    }
    throw new ApiError(
      status,
      `${method === "GET" ? "" : `${method} `}${server}${path}: ${status} ${statusMessage(text)}`,
    );
  }

  /** Asks again where an API server is busy, or has just learned of a kind, and says so. */
  async #sendAgain(method: Method, path: string, sent?: ApiRequest): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      let answer: ApiAnswer;
      try {
        answer = await this.send(method, path, sent);
      } catch (error) {
        throw new Failure(
          `${this.#access.server} does not answer (${this.#access.where}): ${messageOf(error)}\n  Is the cluster on, and does the address still fit?`,
        );
      }
      if (!isBusy(answer) || attempt === attempts) {
        return answer;
      }
      await sleep(1000);
    }
  }
}

/**
 * Whether an answer asks for another attempt. While controllers write a namespace's quota, the API server gives up counting a new
 * object after three tries, and makes nothing (`checkQuotas` in pkg/admission/plugin/resourcequota/controller.go of
 * k8s.io/apiserver 0.35).
 */
function isBusy({ status, text }: ApiAnswer): boolean {
  return status === 429 || (status === 409 && statusMessage(text).includes("cannot be fulfilled on resourcequotas "));
}

function send(url: URL, options: RequestOptions, sent: ApiRequest): Promise<ApiAnswer> {
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
