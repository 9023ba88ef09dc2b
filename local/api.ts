import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

/** How often an API server that is busy is asked, a second apart, which is what it asks for itself. */
const attempts = 5;

/** How to reach an API server as its administrator. */
export interface Access {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly token: string;
}

export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The few calls that the embedded cluster makes to its API server. A client library would take longer to load than all
 * of them together.
 */
export class Api {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = new Agent({ keepAlive: true, ca: access.certificateAuthority });
  }

  get access(): Access {
    return this.#access;
  }

  #send(
    method: string,
    path: string,
    body?: { readonly type: string; readonly text: string },
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        new URL(path, this.#access.server),
        {
          method,
          agent: this.#agent,
          timeout: 15_000,
          headers: {
            authorization: `Bearer ${this.#access.token}`,
            accept: "application/json",
            ...(body === undefined
              ? {}
              : { "content-type": body.type, "content-length": Buffer.byteLength(body.text) }),
          },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") });
          });
        },
      );
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer within 15 s`)));
      call.on("error", reject);
      call.end(body?.text);
    });
  }

  /** An API server that is busy, or has just learned of a kind, says so and wants to be asked again. */
  async #sendAgain(
    method: string,
    path: string,
    body?: { readonly type: string; readonly text: string },
  ): Promise<{ readonly status: number; readonly text: string }> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#send(method, path, body);
      if (answer.status !== 429 || attempt === attempts) {
        return answer;
      }
      await sleep(1000);
    }
  }

  async #object(
    method: string,
    path: string,
    body?: { readonly type: string; readonly text: string },
  ): Promise<unknown> {
    const { status, text } = await this.#sendAgain(method, path, body);
    if (status >= 300) {
      let message = text;
      try {
        message = (JSON.parse(text) as { message?: string }).message ?? text;
      } catch {
        // Not a Status object.
      }
      throw new ApiError(status, `${method} ${path}: ${status} ${message}`);
    }
    return JSON.parse(text);
  }

  /**
   * What the API server answers to a request, whatever that is. Nothing is changed.
   */
  async answer(
    method: "DELETE" | "GET" | "POST" | "PUT",
    path: string,
    object?: object,
  ): Promise<{ readonly status: number; readonly message: string; readonly body: unknown }> {
    const query = method === "GET" ? "" : `${path.includes("?") ? "&" : "?"}dryRun=All`;
    const body = object === undefined ? undefined : { type: "application/json", text: JSON.stringify(object) };
    const { status, text } = await this.#send(method, `${path}${query}`, body);
    try {
      const answer = JSON.parse(text) as { readonly kind?: string; readonly message?: string };
      return { status, message: answer.kind === "Status" ? (answer.message ?? "") : "", body: answer };
    } catch {
      // Connections and proxies answer in plain text.
      return { status, message: text, body: text };
    }
  }

  /** The same API server, as the owner of another token. */
  as(token: string): Api {
    return new Api({ ...this.#access, token });
  }

  /** Whether a path such as `/readyz` answers 200. */
  async answers(path: string): Promise<boolean> {
    try {
      return (await this.#send("GET", path)).status === 200;
    } catch {
      return false;
    }
  }

  /** The object at a path; undefined where there is none. */
  async get<Kind = KubernetesObject>(path: string): Promise<Kind | undefined> {
    try {
      return (await this.#object("GET", path)) as Kind;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** The objects of a collection; none where the API has no such kind. */
  async list<Kind = KubernetesObject>(path: string): Promise<readonly Kind[]> {
    return (await this.get<{ readonly items: readonly Kind[] }>(path))?.items ?? [];
  }

  /** Server-side apply, which takes fields over from others. */
  async apply(path: string, object: object, fieldManager = "kraft-local"): Promise<void> {
    const type = "application/apply-patch+yaml";
    const query = `fieldManager=${encodeURIComponent(fieldManager)}&force=true`;
    await this.#object("PATCH", `${path}?${query}`, { type, text: JSON.stringify(object) });
  }

  /** Server-side apply that changes nothing: what the API server would say and how long it takes. */
  async dryRun(path: string, object: object): Promise<void> {
    const type = "application/apply-patch+yaml";
    const query = "fieldManager=kraft-local&force=true&dryRun=All";
    await this.#object("PATCH", `${path}?${query}`, { type, text: JSON.stringify(object) });
  }

  /** @returns the object as the API server completed it */
  async create<Kind = KubernetesObject>(path: string, object: object): Promise<Kind> {
    return (await this.#object("POST", path, { type: "application/json", text: JSON.stringify(object) })) as Kind;
  }

  async delete(path: string): Promise<void> {
    await this.#object("DELETE", path);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Waits until `condition` holds; says whether it did within the time. Failed calls count as "not yet". */
export async function eventually(condition: () => Promise<boolean>, timeoutSeconds: number): Promise<boolean> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    try {
      if (await condition()) {
        return true;
      }
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline) {
      return false;
    }
    await sleep(100);
  }
}
