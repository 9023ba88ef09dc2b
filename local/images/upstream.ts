import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Failure } from "../../errors/failure.ts";
import type { Reporter } from "../terminal.ts";
import { type PlatformImage, trustFile } from "./images.ts";

/** What became of one image: see local/tools/images. */
interface Outcome {
  readonly reference: string;
  readonly problem?: string;
}

/**
 * Takes published images from their registries, for the processor of this machine, with the network, the proxies
 * (`HTTPS_PROXY`) and the logins (`docker login`) of whoever runs it. Those of programs that call servers of the internet
 * get one file more: the certificates of the authorities that they trust in the embedded one, where no other server is.
 *
 * @param images Their names, and whether they trust the authorities.
 * @param authorities Certificates in PEM.
 * @param registry The one registry that has them all, by the paths of their names. Default: that of each name.
 * @param folder Where they are written to, in the layout of the Open Container Initiative. What is there is not taken again.
 * @param tool Path of the program `upstream-images`.
 * @throws Failure that names every image that cannot be had, and why.
 */
export async function takePublishedImages(inputs: {
  readonly images: readonly Pick<PlatformImage, "references" | "trusts">[];
  readonly authorities: string;
  readonly registry?: string | undefined;
  readonly folder: string;
  readonly tool: string;
  readonly reporter: Reporter;
}): Promise<void> {
  const { reporter, registry } = inputs;
  const orders = inputs.images.flatMap(({ references, trusts }) =>
    references.map((reference) => ({ reference, files: trusts ? { [trustFile]: inputs.authorities } : {} })),
  );
  const from = registry ?? "their registries";
  reporter.line(`taking ${orders.length} published images from ${from} (once for each version)`);
  const child = spawn(
    inputs.tool,
    [`--into=${inputs.folder}`, ...(registry === undefined ? [] : [`--registry=${registry}`])],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const stop = (): void => {
    child.kill();
  };
  process.once("exit", stop);
  const ended = once(child, "close") as Promise<[number | null]>;
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdin.end(JSON.stringify(orders));
  const outcomes: Outcome[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    outcomes.push(JSON.parse(line) as Outcome);
    reporter.progress(`${outcomes.length} of ${orders.length} published images are there`);
  }
  const [code] = await ended;
  process.off("exit", stop);
  reporter.done();
  if (code !== 0) {
    throw new Failure(`${inputs.tool} ended with ${code ?? "a signal"}:\n${said.trim()}`);
  }
  const missing = outcomes.filter(({ problem }) => problem !== undefined);
  if (missing.length > 0) {
    throw new Failure(missingImages(missing, orders.length));
  }
}

function missingImages(missing: readonly Outcome[], all: number): string {
  return (
    `${missing.length} of ${all} published images cannot be had, so nothing was started:\n` +
    `${missing.map(({ reference, problem = "" }) => `  ${reference}\n    ${problem}`).join("\n")}\n` +
    "Look whether this machine reaches their registries: its name server, a proxy (HTTPS_PROXY), a login (docker login). " +
    "Then run the command again: it goes on where it stopped.\n" +
    "One registry that has them all will do, too (--registry <host>). Without any: npm run local -- --images built"
  );
}
