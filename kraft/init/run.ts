import { homedir } from "node:os";
import { join } from "node:path";
import { isAddress } from "../../components/plan/network/address.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { ConfigError, type Problem, show } from "../../errors/problem.ts";
import { defaultUser } from "../../infra/config/keys/host.ts";
import { rawConfig } from "../../infra/config/parse.ts";
import { secretKeys } from "../../infra/config/schema.ts";
import { checkout } from "../../infra/config/stack-file.ts";
import { validate } from "../../infra/config/validate.ts";
import { needsBootstrap } from "../../infra/nodes/needs-bootstrap.ts";
import type { Table } from "../../infra/table.ts";
import { type Stack, stacks } from "../../stacks/index.ts";
import { directoryOf } from "../cli/choice.ts";
import type { Output } from "../cli/output.ts";
import type { Run } from "../cli/verb.ts";
import { fingerprintOf } from "../host-kubeconfig/ssh.ts";
import { findCluster } from "./cluster.ts";
import { Interview, type Prompter, terminalPrompter } from "./interview.ts";
import { type FoundNode, measure, type MeasuredMachine, type Place, shownHostKeys } from "./measure.ts";
import { checkPlace, writeStackFile } from "./place.ts";
import { type Flags, hardwareOf, inHome, lineOf, neededFor, placesOf, questionsFor, wordsOf } from "./questions.ts";
import { configOf, type Description, stackFileText } from "./stack-file-text.ts";

/** Megabits per second below which a node's network card is mentioned: copies of volumes cross it. */
const slowNetwork = 1000;

export const run: Run<Flags> = async (given, output) => {
  const stack = stackToDescribe(given.stack);
  const directory = directoryOf(given);
  checkPlace(stack.name, directory);
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
  const prompter = isTerminal ? await terminalPrompter() : undefined;
  const { description, left, warnings, asked } = await describeStack(stack, directory, given, prompter, output);
  const file = `Pulumi.${stack.name}.yaml`;
  const nodes = description.nodes.map(({ name, address }) => ({ name, address }));
  return {
    json: { stack: stack.name, file, nodes, asked, warnings, left },
    text: [
      ...output.style.table(nodesTable(description.nodes)),
      ...warnings.map((text) => `  ${text}`),
      "",
      output.style.good(`${file} is written.`),
      "",
      output.style.title("What is left:"),
      ...left.map((text) => `  ${text}`),
    ],
  };
};

/** The stack that a file can be made for. */
function stackToDescribe(name: string | undefined): Stack {
  const real = [...stacks.values()].filter(({ distribution }) => distribution !== "embedded");
  const stack = real.find((candidate) => candidate.name === name);
  if (stack === undefined) {
    const found = name === undefined ? "no stack is named" : `there is no stack ${show(name)} to describe`;
    const allowed = real.map((candidate) => `${candidate.name} (${candidate.distribution})`).join(", ");
    throw new UsageError(`${found}\n  allowed: ${allowed}`);
  }
  return stack;
}

/**
 * Asks, measures, and writes the stack file. Throws what stands in the way, and has then written nothing.
 *
 * @param prompter Who answers; undefined where only the options do.
 */
export async function describeStack(
  stack: Stack,
  directory: string,
  flags: Flags,
  prompter: Prompter | undefined,
  output: Output,
) {
  const draft = join(directory, ".kraft", `init-${stack.name}.json`);
  const interview = new Interview(questionsFor(stack), flags, draft, prompter);
  interview.requireFlags(neededFor(stack, flags.setup));
  const domain = await interview.answer("domain");
  const setup = await interview.answer("setup");
  const found =
    setup === "own"
      ? await ownCluster(stack, directory, flags, interview, output)
      : await newMachines(stack, flags, interview, output);
  const entry = found.nodes.length > 1 ? await interview.answer("entry") : "";
  const description: Description = {
    ...found,
    stack,
    domain,
    entry: entry === "" ? undefined : entry,
    backup: { bucket: await interview.answer("bucket"), region: await interview.answer("region") },
    line: lineOf(await interview.answer("line")),
  };
  const open = openProblems(description);
  const schema = directory === checkout ? "infra/config/stack.schema.json" : undefined;
  writeStackFile(stack.name, directory, stackFileText(description, new Date(), schema));
  interview.done();
  return {
    description,
    left: leftToDo(description, open, found.key),
    warnings: found.warnings,
    asked: interview.asked,
  };
}

interface Found extends Pick<Description, "cluster" | "nodes" | "machines" | "resolvers"> {
  readonly warnings: readonly string[];
  /** Private key of the user on the machines; undefined where none was named. */
  readonly key?: string | undefined;
}

/** Machines that Kraft is to set up. */
async function newMachines(stack: Stack, flags: Flags, interview: Interview, output: Output): Promise<Found> {
  const places = placesOf(await interview.answer("machines"));
  const cluster = { kubeconfig: `~/.kube/kraft-${stack.name}.yaml`, context: `kraft-${stack.name}` };
  if (stack.distribution === "talos") {
    const hardware = hardwareOf(await interview.answer("hardware"));
    const nodes = places.map(({ address }) => ({ name: stack.nodes[0]?.name ?? "", address, hardware }));
    return { cluster, nodes, machines: { clusterInit: true }, resolvers: [talosResolver], warnings: [] };
  }
  const user = await interview.answer("user");
  const written = await interview.answer("key");
  const key = written === "" ? undefined : inHome(written);
  const hostKeys = await output.during("asking the machines for their host keys", shownHostKeys(places));
  await proveHostKeys(places, hostKeys, flags.fingerprint, interview, output);
  const longhornPath = stack.storage.dataPath;
  const machines = await output.during(
    "measuring the machines",
    measure(places, hostKeys, { user, key, longhornPath }),
  );
  return {
    cluster,
    nodes: machines,
    machines: { clusterInit: true, ...(user === defaultUser ? {} : { user }) },
    resolvers: flags.resolver ?? resolversOf(machines),
    warnings: machines.flatMap(({ name, networkMbps = slowNetwork }) =>
      networkMbps < slowNetwork
        ? [`${name}: its network has ${networkMbps} Mbit/s, and copies of volumes cross it`]
        : [],
    ),
    key,
  };
}

/** Talos' own name server, which asks those of the machine configuration (docs.siderolabs.com, host DNS). */
const talosResolver = "169.254.116.108";

/** The name servers that the machines use, each once. Those on the machine itself are no use to guests. */
function resolversOf(machines: readonly MeasuredMachine[]): string[] {
  const all = machines.flatMap(({ resolvers }) => resolvers);
  const usable = all.filter((address) => isAddress(address) && !/^(127\.|::1$)/.test(address));
  if (usable.length === 0) {
    throw new Failure(
      `the machines name no name server that others can ask: ${[...new Set(all)].join(", ") || "none at all"}\n  say which with --resolver <address>`,
    );
  }
  return [...new Set(usable)];
}

/** Makes sure that the operator knows the host keys. Throws a Failure where one is not the one that was said, or nobody says so. */
async function proveHostKeys(
  places: readonly Place[],
  hostKeys: readonly string[],
  said: readonly string[] | undefined,
  interview: Interview,
  output: Output,
): Promise<void> {
  const shown = places.map(({ address }, index) => ({ address, fingerprint: fingerprintOf(hostKeys[index] ?? "") }));
  const compare = "compare them on the machines' own screens: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
  if (said !== undefined) {
    const wrong = shown.flatMap(({ address, fingerprint }, index) =>
      fingerprint === said[index]
        ? []
        : [`${address} shows ${fingerprint}, and --fingerprint says ${said[index] ?? "nothing"}`],
    );
    if (wrong.length > 0 || said.length > shown.length) {
      throw new Failure(
        `another machine may answer in the place of yours; nothing was asked of it\n  ${wrong.join("\n  ")}\n` +
          `  give one fingerprint for each machine, in the same order; ${compare}`,
      );
    }
    return;
  }
  output.note(shown.map(({ address, fingerprint }) => `  ${address}  ${fingerprint}`).join("\n"));
  if (!(await interview.confirmed("Are these the fingerprints on the machines' own screens?"))) {
    throw new Failure(`the host keys are not confirmed; nothing was written\n  ${compare}`);
  }
}

/** A cluster that the operator set up. */
async function ownCluster(
  stack: Stack,
  directory: string,
  flags: Flags,
  interview: Interview,
  output: Output,
): Promise<Found> {
  const home = `${homedir()}/`;
  const path = await interview.answer("kubeconfig");
  // As in every stack file: the same on every machine.
  const kubeconfig = path.startsWith(home) ? `~/${path.slice(home.length)}` : path;
  const { context, uid, nodes } = await output.during(
    "asking the cluster",
    findCluster(kubeconfig, directory, flags.context),
  );
  const unknown = nodes.some(({ hardware }) => hardware.longhornMebibytes === 0);
  const size = unknown ? hardwareOf(`1 1Gi ${await interview.answer("longhorn")}`).longhornMebibytes : 0;
  const whole = nodes.map((node): FoundNode => {
    const { longhornMebibytes } = node.hardware;
    return { ...node, hardware: { ...node.hardware, longhornMebibytes: longhornMebibytes || size } };
  });
  const resolvers =
    stack.distribution === "talos" ? (flags.resolver ?? [talosResolver]) : wordsOf(await interview.answer("resolver"));
  return { cluster: { kubeconfig, context, uid }, nodes: whole, machines: undefined, resolvers, warnings: [] };
}

/**
 * What the file will lack: secrets, and what only exists later. Throws a ConfigError naming what is wrong with the answers
 * themselves.
 */
function openProblems(description: Description): Problem[] {
  const { stack } = description;
  const raw = rawConfig(configOf(description), () => false);
  let problems: readonly Problem[] = [];
  try {
    validate(stack.name, stacks, raw);
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    ({ problems } = error);
  }
  const isLater = ({ key }: Problem): boolean =>
    secretKeys.has(key.replace(/^kraft:/, "")) ||
    (key === "kraft:cluster.uid" && needsBootstrap(stack, raw)) ||
    (stack.distribution === "talos" && /^kraft:nodes\.[^.]+\.drives$/.test(key));
  const wrong = problems.filter((problem) => !isLater(problem));
  if (wrong.length > 0) {
    throw new ConfigError("What you answered", wrong);
  }
  return problems.filter(({ key }) => key !== "kraft:cluster.uid");
}

function leftToDo(description: Description, open: readonly Problem[], key: string | undefined): string[] {
  const { stack, cluster, line } = description;
  const set = (name: string): string => `pulumi config set --secret kraft:${name} -s ${stack.name}`;
  const random = "openssl rand -hex 32 |";
  const commands: Readonly<Record<string, string>> = {
    "kraft:guestTokenSeed": `${random} ${set("guestTokenSeed")}`,
    "kraft:k3sToken": `${random} ${set("k3sToken")}`,
    "kraft:wasabiAccessKeyId": set("wasabiAccessKeyId"),
    "kraft:wasabiSecretAccessKey": set("wasabiSecretAccessKey"),
    ...(key === undefined ? {} : { "kraft:machineKey": `${set("machineKey")} < ${key}` }),
  };
  const each = open.map(({ key: name, fix }) =>
    secretKeys.has(name.replace(/^kraft:/, "")) ? (commands[name] ?? fix) : `${name}: ${fix}`,
  );
  return [
    "a bucket for Pulumi's state and a passphrase: docs/first-steps.md, step 2; then",
    `pulumi stack init ${stack.name} --secrets-provider passphrase`,
    ...each,
    ...(cluster.uid === undefined
      ? [
          `kraft:cluster.uid: pulumi up sets the machines up first; ${stack.distribution === "k3s" ? `then npx kraft host-kubeconfig -s ${stack.name} says it` : "its output says how"}`,
        ]
      : []),
    "kraft:tenants: a first tenant, as README shows",
    "kraft:alerts: who is told when something is wrong, docs/monitoring.md",
    `optional: kraft:prices with hardware.watts of each node, kraft:network.home, kraft:contact${line === undefined ? ", kraft:line" : ""}`,
    `npx kraft check -s ${stack.name}`,
  ];
}

function nodesTable(nodes: readonly FoundNode[]): Table {
  return {
    title: "Nodes",
    rows: [
      ["", "address", "threads", "memory", "Longhorn", "model"],
      ...nodes.map(({ name, address, hardware }) => [
        name,
        address,
        String(hardware.threads),
        gibibytes(hardware.memoryMebibytes),
        gibibytes(hardware.longhornMebibytes),
        hardware.model ?? "",
      ]),
    ],
  };
}

function gibibytes(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}
