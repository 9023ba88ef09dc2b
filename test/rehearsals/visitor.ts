import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { visitor } from "../../local/home/addresses.ts";
import { inMachine } from "../../local/home/enter.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";

/** Somebody on the internet who opens a page every second. */
export class Visitor {
  /** When each call began, in milliseconds since 1970, how many seconds it took, whether the page came, and what curl said if not. */
  readonly #calls: { readonly at: number; readonly took: number; readonly came: boolean; readonly error: string }[] =
    [];
  readonly #child: ChildProcess;

  /** @param credentials Options of curl: whom the visitor trusts, and as whom they come. Default: a stranger with a browser */
  constructor(home: EmbeddedHome, url: string, credentials: readonly string[] = ["--cacert", home.roots]) {
    const options = ["--max-time", "2", ...credentials, url].map((word) => `'${word}'`);
    const curl = `curl -s -o /dev/null -w '%{http_code} %{time_total} %{errormsg}' ${options.join(" ")}`;
    const loop = `while sleep 1; do at=$(date +%s%3N); echo "$at $(${curl})" || exit; done`;
    const [executable = "", ...rest] = inMachine(home.directory, visitor.name, "sh", "-c", loop);
    this.#child = spawn(executable, rest, { stdio: ["ignore", "pipe", "ignore"] });
    const { stdout } = this.#child;
    if (stdout !== null) {
      createInterface({ input: stdout }).on("line", (text) => {
        const [at, code, took, ...words] = text.split(" ");
        const error = words.join(" ") || `status ${code ?? "?"}`;
        this.#calls.push({ at: Number(at), took: Number(took), came: code === "200", error });
      });
    }
  }

  /** Whether the last call got the page. */
  get sees(): boolean {
    return this.#calls.at(-1)?.came === true;
  }

  /** Seconds between a moment and the first call after which the page came every time; undefined while it does not come. */
  backAfter(moment: number): number | undefined {
    const after = this.#calls.filter(({ at }) => at >= moment);
    const lost = after.findLastIndex(({ came }) => !came);
    const first = after[lost + 1];
    return first === undefined ? undefined : (first.at - moment) / 1000;
  }

  /** Seconds until the page came every time; 0 where no call since a moment missed it, undefined while it does not come. */
  awayAfter(moment: number): number | undefined {
    return this.#calls.every(({ at, came }) => at < moment || came) ? 0 : this.backAfter(moment);
  }

  /** When the first call since a moment began that did not get the page, and the first after which all did; if any missed it. */
  away(moment: number): { readonly from: number; readonly until: number } | undefined {
    const from = this.#calls.find(({ at, came }) => at >= moment && !came)?.at;
    const back = this.backAfter(moment);
    return from === undefined ? undefined : { from, until: back === undefined ? Date.now() : moment + back * 1000 };
  }

  /** How many calls since a moment did not get the page, of how many. */
  missed(moment: number): string {
    const after = this.#calls.filter(({ at }) => at >= moment);
    return `${after.filter(({ came }) => !came).length} of ${after.length} calls`;
  }

  /** How long calls since a moment took that got the page: half of them at most, and the slowest. */
  times(moment: number): string {
    const took = this.#calls
      .filter(({ at, came }) => at >= moment && came)
      .map(({ took }) => took)
      .sort((a, b) => a - b);
    const milliseconds = (seconds: number | undefined): string => `${Math.round((seconds ?? NaN) * 1000)} ms`;
    return `${milliseconds(took[Math.floor(took.length / 2)])}, ${milliseconds(took.at(-1))}`;
  }

  /** Why calls since a moment did not get the page, each reason once, with how often. */
  reasons(moment: number): string {
    const missed = this.#calls.filter(({ at, came }) => at >= moment && !came);
    // Times in milliseconds would make each of them another one.
    const groups = Map.groupBy(missed, ({ error }) => error.replace(/\d+ milliseconds/, "some time"));
    return [...groups].map(([error, calls]) => `${calls.length}: ${error}`).join("; ");
  }

  leave(): void {
    this.#child.stdout?.destroy();
    this.#child.kill();
  }
}

/** Waits until every visitor gets their page. */
export async function everyoneSees(visitors: readonly Visitor[], seconds = 180): Promise<void> {
  const all = (): true | undefined => (visitors.every(({ sees }) => sees) ? true : undefined);
  await eventually("a page for every visitor", () => Promise.resolve(all()), seconds);
}

/** A tenant on the internet who asks every second, with the kubeconfig that they were given, whether their API server is ready. */
export async function tenantAtTheirApi(home: EmbeddedHome, tenant: string): Promise<Visitor> {
  const config = await home.guest(tenant).kubeconfig();
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const file = (name: string, base64 = ""): string => {
    const path = join(home.directory, `${tenant}-${name}.pem`);
    writeFileSync(path, Buffer.from(base64, "base64"), { mode: 0o600 });
    return path;
  };
  const options = {
    "--cacert": file("authority", cluster?.caData),
    "--cert": file("certificate", user?.certData),
    "--key": file("key", user?.keyData),
  };
  return new Visitor(home, `https://${cluster?.tlsServerName ?? ""}/readyz`, Object.entries(options).flat());
}
