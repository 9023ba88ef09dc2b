import { parseArgs } from "node:util";
import { Failure, messageOf } from "../errors/failure.ts";
import { stacks } from "../stacks/index.ts";
import { imageKinds, type ImageSource } from "./images/source.ts";

const usage = `Usage:
  npm run local [-- --stack <stack>] [--charts <folder>]   bring the platform up, or bring it up to date
                [--simulated]                              the same without machines: nothing runs in a pod
                [--images ${imageKinds.join("|")}]                 images made here, or those that their projects publish,
                [--registry <host>]                        all taken from one registry in place of their own
  npm run local:down [-- --stack <stack>]                  stop and remove it; without --stack, every one of this checkout
  npm run --silent local:kubeconfig [-- --stack <stack>]   print the path of its kubeconfig
  npm run local:tools                                      build the programs it needs, and print where they are
Stacks: ${[...stacks.keys()].join(", ")}`;

const options = {
  stack: { type: "string" },
  charts: { type: "string" },
  simulated: { type: "boolean" },
  images: { type: "string" },
  registry: { type: "string" },
} as const;

/** Options per command; every command knows no others. */
const commands = {
  up: ["stack", "charts", "simulated", "images", "registry"],
  down: ["stack"],
  kubeconfig: ["stack"],
  tools: [],
} as const satisfies Record<string, readonly (keyof typeof options)[]>;

/** What the user asked for. */
export interface CommandLine {
  readonly command: keyof typeof commands;
  readonly stack: string | undefined;
  /** A folder with charts of the user's own. */
  readonly charts: string | undefined;
  /** Whether nodes are to be simulated, also where machines are possible. */
  readonly simulated: boolean;
  /** Where images are to be from; undefined where the user did not say. */
  readonly images: ImageSource | undefined;
}

/** A host, perhaps with a port and with the beginning of all paths there. */
const registryAddress = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:\/[a-z0-9._-]+)*$/;

/** @throws Failure that names the option, what was found, and what may be written. */
function imageSource(values: {
  readonly images?: string;
  readonly registry?: string;
  readonly simulated?: boolean;
}): ImageSource | undefined {
  const { images, registry, simulated = false } = values;
  const kind = imageKinds.find((known) => known === images);
  if (images !== undefined && kind === undefined) {
    throw new Failure(`--images ${images}: there are no such images. Known: ${imageKinds.join(", ")}.`);
  }
  if (registry !== undefined && kind !== "upstream") {
    throw new Failure(
      `--registry ${registry}: only published images are taken from a registry. Add --images upstream.`,
    );
  }
  if (registry !== undefined && !registryAddress.test(registry)) {
    throw new Failure(
      `--registry ${registry}: this is no registry. Write its host, and the port if it is not 443: registry.example:5000.`,
    );
  }
  if (kind !== undefined && simulated) {
    throw new Failure(`--images ${kind}: simulated nodes run no images. Leave out --images, or --simulated.`);
  }
  return kind === "upstream" ? { kind, ...(registry !== undefined && { registry }) } : kind && { kind };
}

/**
 * Reads the arguments of `local/main.ts`.
 *
 * @throws Failure that names what is not known, and what is.
 */
export function parseCommandLine(commandArguments: readonly string[]): CommandLine {
  const [name = "", ...rest] = commandArguments;
  if (!Object.hasOwn(commands, name)) {
    throw new Failure(`Unknown command ${JSON.stringify(name)}.\n${usage}`);
  }
  const command = name as keyof typeof commands;
  const known: readonly string[] = commands[command];
  let values: { stack?: string; charts?: string; simulated?: boolean; images?: string; registry?: string };
  try {
    ({ values } = parseArgs({ args: rest, options }));
  } catch (error) {
    throw new Failure(`${messageOf(error)}\n${usage}`);
  }
  const foreign = Object.keys(values).find((option) => !known.includes(option));
  if (foreign !== undefined) {
    throw new Failure(`The command ${command} has no option --${foreign}.\n${usage}`);
  }
  if (values.stack !== undefined && !stacks.has(values.stack)) {
    throw new Failure(`--stack ${values.stack}: there is no such stack. Known: ${[...stacks.keys()].join(", ")}.`);
  }
  const { charts, stack, simulated = false } = values;
  return { command, stack, charts, simulated, images: imageSource(values) };
}
