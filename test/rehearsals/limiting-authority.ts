import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { internet, provider } from "../../local/home/addresses.ts";
import { internetAuthority, makeCertificates } from "../../local/home/certificates.ts";
import { inNetworkOf, runInMachine } from "../../local/home/enter.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, realModules } from "../../local/toolchain/ready.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";

/** What Let's Encrypt answers an order beyond its limits (RFC 8555, 6.6), with the seconds that it asks for. */
const problem = {
  type: "urn:ietf:params:acme:error:rateLimited",
  detail: "too many new orders from this account in the last 3h0m0s, retry after 60 seconds",
  status: 429,
};

/**
 * Hands every request on to Pebble, under the name that it was asked by. While a file is there, it answers new orders itself,
 * with the nonce that every answer of an authority has. Prints a line for each order that it answers.
 */
const program = `
const https = require("node:https"), fs = require("node:fs");
const { address, authority, ca, certificate, file, key, problem } = JSON.parse(process.argv[1]);
const trusted = fs.readFileSync(ca);
const ask = (options, body, then) => {
  const call = https.request({ host: authority, port: 443, ca: trusted, ...options }, then);
  call.on("error", (error) => console.error(error.message));
  call.end(body);
};
https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part)).on("end", () => {
    const { method, url: path, headers } = request;
    if (path === "/order-plz" && fs.existsSync(file)) {
      const agent = headers["user-agent"];
      ask({ method: "HEAD", path: "/nonce-plz", headers: { host: address, "user-agent": agent } }, undefined, ({ headers: answer }) => {
        response.writeHead(429, { "content-type": "application/problem+json", "retry-after": "60", "replay-nonce": answer["replay-nonce"] });
        response.end(JSON.stringify(problem));
        console.log(path);
      });
      return;
    }
    ask({ method, path, headers: { ...headers, host: address } }, Buffer.concat(parts), (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
  });
}).listen(443, address, () => console.log("listens"));
`;

/** What stands before a certificate authority on the home's internet, and refuses new orders while it is told to. */
export class LimitingAuthority {
  static readonly #address = "203.0.113.55";
  /** Its directory, as an issuer names it. */
  readonly directory = `https://${LimitingAuthority.#address}/dir`;
  /** By which orders and accounts name it. */
  readonly host = LimitingAuthority.#address;
  readonly #home: EmbeddedHome;
  #child: ChildProcess | undefined;
  #orders = 0;

  constructor(home: EmbeddedHome) {
    this.#home = home;
  }

  /** How many orders it refused. */
  get refused(): number {
    return this.#orders;
  }

  get #file(): string {
    return join(this.#home.directory, "internet", "limit");
  }

  /** @param authority The address of the one that issues. */
  async start(authority: string): Promise<void> {
    const { directory } = this.#home;
    const address = LimitingAuthority.#address;
    const tools = await readyTools(silentReporter, realModules);
    const path = join(directory, "certificates", "limiting-authority");
    makeCertificates(tools, `${path}.json`, [
      { path, authority: internetAuthority(), commonName: address, addresses: [address] },
    ]);
    const command = `ip address add ${address}/${internet.prefix} dev eth0`;
    const { status, stderr } = runInMachine(directory, provider.name, "sh", "-c", command);
    assert.equal(status, 0, stderr);
    const given = {
      address,
      authority,
      ca: `${internetAuthority()}.crt`,
      certificate: `${path}.crt`,
      key: `${path}.key`,
      file: this.#file,
      problem,
    };
    const words = [process.execPath, "-e", program, JSON.stringify(given)];
    const [executable = "", ...rest] = inNetworkOf(directory, provider.name, ...words);
    this.#child = spawn(executable, rest, { stdio: ["ignore", "pipe", "inherit"] });
    let listens = false;
    const { stdout } = this.#child;
    assert.ok(stdout !== null);
    createInterface({ input: stdout }).on("line", (line) => {
      listens ||= line === "listens";
      this.#orders += line === "listens" ? 0 : 1;
    });
    await eventually("the limiting authority", () => Promise.resolve(listens ? true : undefined));
  }

  /** From now on it refuses new orders. */
  limit(): void {
    writeFileSync(this.#file, "");
  }

  unlimit(): void {
    rmSync(this.#file, { force: true });
  }

  leave(): void {
    this.#child?.stdout?.destroy();
    this.#child?.kill();
  }
}
