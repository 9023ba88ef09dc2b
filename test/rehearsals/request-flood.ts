import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { router, visitor } from "../../local/home/addresses.ts";
import { inNetworkOf } from "../../local/home/enter.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";

/** How many calls are under way at any moment. */
const atOnce = 64;

/** Calls a page as fast as it answers, and prints at SIGTERM how many answers came, and how many calls failed. */
const program = `
const { Agent, get } = require("node:https");
const [host, roots] = process.argv.slice(1);
const agent = new Agent({ keepAlive: true, maxSockets: ${atOnce}, ca: require("node:fs").readFileSync(roots) });
// This program has the files of the machine, where no name server knows the home.
const page = { agent, host: "${router.publicAddress}", servername: host, headers: { host } };
let answers = 0, failures = 0;
const call = () => get(page, (response) => {
  response.resume().on("end", () => { answers += 1; call(); });
}).on("error", () => { failures += 1; setTimeout(call, 100); });
for (let index = 0; index < ${atOnce}; index += 1) call();
process.on("SIGTERM", () => { console.log(answers, failures); process.exit(); });
`;

/** Somebody on the internet who calls a page as fast as it answers. */
export class RequestFlood {
  answers = 0;
  failures = 0;
  readonly #child: ChildProcess;
  #text = "";

  constructor(home: EmbeddedHome, host: string) {
    const command = inNetworkOf(home.directory, visitor.name, process.execPath, "-e", program, host, home.roots);
    const [executable = "", ...rest] = command;
    this.#child = spawn(executable, rest, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (part: string) => (this.#text += part));
  }

  get counted(): string {
    return `${this.answers}, and ${this.failures} calls that failed`;
  }

  async leave(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return;
    }
    const closed = once(this.#child, "close");
    this.#child.kill();
    await closed;
    [this.answers = 0, this.failures = 0] = this.#text.trim().split(" ").map(Number);
  }
}
