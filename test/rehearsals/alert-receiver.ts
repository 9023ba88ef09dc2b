import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { provider } from "../../local/home/addresses.ts";
import { inNetworkOf } from "../../local/home/enter.ts";
import { internetNames } from "../../local/home/internet.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";

const port = 8080;

const origin = `http://${internetNames.site}:${port}`;
const paths = { person: "/kraft", heartbeat: "/heartbeat" } as const;

/** `kraft:alerts` that tells the receiver. Only an embedded home may be told over http. */
export const alerts = {
  webhook: `${origin}${paths.person}`,
  heartbeat: `${origin}${paths.heartbeat}`,
} as const;

/** Seconds by which a message may be later than its rule says: two questions of Prometheus, a check, and Alertmanager's wait. */
export const allowance = 150;

/** One alert, as Alertmanager told it. */
export interface Told {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Prints each path that it is called at, and the body that it gets, as one line. */
const program = `require("node:http").createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part) => (body += part)).on("end", () => {
    console.log(JSON.stringify({ path: request.url, ...JSON.parse(body) }));
    response.end();
  });
}).listen(${port}, "${provider.address}");`;

/** Whom the operator has told: a server on the home's internet that keeps what the webhook gets, and counts heartbeats. */
export class AlertReceiver {
  readonly told: Told[] = [];
  /** When each heartbeat came, in milliseconds since 1970. */
  readonly heartbeats: number[] = [];
  readonly #child: ChildProcess;

  constructor(home: EmbeddedHome) {
    const [executable = "", ...rest] = inNetworkOf(home.directory, provider.name, process.execPath, "-e", program);
    this.#child = spawn(executable, rest, { stdio: ["ignore", "pipe", "inherit"] });
    const { stdout } = this.#child;
    if (stdout !== null) {
      createInterface({ input: stdout }).on("line", (text) => {
        const at = Date.now();
        const message = JSON.parse(text) as { readonly path: string; readonly alerts: readonly Omit<Told, "at">[] };
        if (message.path === paths.heartbeat) {
          this.heartbeats.push(at);
          return;
        }
        this.told.push(...message.alerts.map((alert) => ({ at, ...alert })));
      });
    }
  }

  leave(): void {
    this.#child.stdout?.destroy();
    this.#child.kill();
  }
}
