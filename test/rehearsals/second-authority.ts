import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { logFile } from "../../local/control-plane.ts";
import { internet, provider } from "../../local/home/addresses.ts";
import { internetAuthority, makeCertificates } from "../../local/home/certificates.ts";
import { inMachine, runInMachine } from "../../local/home/enter.ts";
import { keepRoots } from "../../local/home/internet.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools, realModules, toolPath } from "../../local/toolchain/ready.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";

/** What it is like. */
interface Options {
  /** Seconds that its certificates are valid. */
  readonly lifetime: number;
  /** Names that it refuses. */
  readonly refused: readonly string[];
}

/** A second certificate authority on the home's internet, at an address of its own: another Pebble beside the first. */
export class SecondAuthority {
  static readonly #address = "203.0.113.54";
  /** Its directory, as an issuer names it. By its address: the name server knows only what the home's runs tell it. */
  readonly directory = `https://${SecondAuthority.#address}/dir`;
  /** By which orders and accounts name it. */
  readonly host = SecondAuthority.#address;
  readonly #home: EmbeddedHome;
  #child: ChildProcess | undefined;

  constructor(home: EmbeddedHome) {
    this.#home = home;
  }

  /** The file of its own root certificate, without that of the first one. */
  get roots(): string {
    return join(this.#home.directory, "internet", "second-authority-root.pem");
  }

  get #config(): string {
    return join(this.#home.directory, "internet", "second-authority.json");
  }

  async start({ lifetime, refused }: Options): Promise<void> {
    const { directory } = this.#home;
    const address = SecondAuthority.#address;
    const tools = await readyTools(silentReporter, realModules);
    const certificate = join(directory, "certificates", "second-authority");
    makeCertificates(tools, `${certificate}.json`, [
      { path: certificate, authority: internetAuthority(), commonName: address, addresses: [address] },
    ]);
    const pebble = {
      listenAddress: `${address}:443`,
      managementListenAddress: `${address}:15000`,
      certificate: `${certificate}.crt`,
      privateKey: `${certificate}.key`,
      httpPort: 80,
      tlsPort: 443,
      // Pebble 2.10.3 reads its certificateValidityPeriod and does nothing with it.
      profiles: { default: { description: "Short", validityPeriod: lifetime } },
      domainBlocklist: refused,
    };
    writeFileSync(this.#config, JSON.stringify({ pebble }));
    this.#atProvider(`ip address add ${address}/${internet.prefix} dev eth0`);
    const command = [toolPath(tools, "pebble"), "-config", this.#config, "-dnsserver", `${provider.address}:53`];
    const [executable = "", ...rest] = inMachine(
      directory,
      provider.name,
      ...["env", "PEBBLE_VA_NOSLEEP=1", ...command, "-strict"],
    );
    const log = openSync(logFile(directory, "second-authority"), "a");
    this.#child = spawn(executable, rest, { stdio: ["ignore", log, log] });
    closeSync(log);
    await eventually("the second authority", () => Promise.resolve(keepRoots(directory, address)));
    writeFileSync(this.roots, this.#home.atVisitor("curl", "-sSk", `https://${address}:15000/roots/0`));
    assert.ok(readFileSync(this.#home.roots, "utf8").includes(readFileSync(this.roots, "utf8")));
  }

  /** Stops it where it is: who calls gets no answer. */
  pause(): void {
    this.#signal("STOP");
  }

  resume(): void {
    this.#signal("CONT");
  }

  leave(): void {
    // nsenter stops itself with what it runs, and a process that is stopped waits with every other signal.
    this.#child?.kill("SIGKILL");
  }

  #signal(name: "CONT" | "STOP"): void {
    const isThis = `tr '\\0' ' ' <$process/cmdline | grep -q '^[^ ]*pebble -config ${this.#config} '`;
    this.#atProvider(
      `for process in /proc/[0-9]*; do ${isThis} && kill -${name} \${process#/proc/} && exit; done; exit 1`,
    );
  }

  #atProvider(script: string): void {
    const { status, stdout, stderr } = runInMachine(this.#home.directory, provider.name, "sh", "-c", script);
    assert.equal(status, 0, `${script}: ${stdout}${stderr}`);
  }
}
