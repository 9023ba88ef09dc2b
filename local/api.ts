import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Api as ClusterApi, type ApiAnswer } from "../cluster/api.ts";

/** How to reach an API server as its administrator. */
export interface Access {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly token: string;
}

/** The API server of an embedded cluster, or of a guest in it. */
export class Api extends ClusterApi {
  readonly access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    const { server, certificateAuthority: ca, token } = access;
    const agent = new Agent({ keepAlive: true, ca });
    super({
      server,
      options: { agent, headers: { authorization: `Bearer ${token}` } },
      where: "the embedded cluster",
    });
    this.access = access;
    this.#agent = agent;
  }

  /** What the API server answers to a request, whatever that is. Nothing is changed. */
  async answer(
    method: "DELETE" | "GET" | "POST" | "PUT",
    path: string,
    object?: object,
  ): Promise<{ readonly status: number; readonly message: string; readonly body: unknown }> {
    const query = method === "GET" ? "" : `${path.includes("?") ? "&" : "?"}dryRun=All`;
    const { status, text } = await this.send(method, `${path}${query}`, object === undefined ? {} : { body: object });
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
    return new Api({ ...this.access, token });
  }

  /** Whether a path such as `/readyz` answers 200. */
  answers(path: string): Promise<boolean> {
    return this.send("GET", path).then(
      ({ status }: ApiAnswer) => status === 200,
      () => false,
    );
  }

  /** Server-side apply, which takes fields over from others. */
  override apply<Kind>(path: string, object: object, fieldManager = "kraft-local"): Promise<Kind> {
    return super.apply<Kind>(path, object, fieldManager, true);
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
