import { existsSync } from "node:fs";
import { homedir } from "node:os";
import type { z } from "zod";
import { mebibytes } from "../../components/plan/size.ts";
import { show } from "../../errors/problem.ts";
import { backup } from "../../infra/config/keys/backup.ts";
import { hardware } from "../../infra/config/keys/hardware.ts";
import { line } from "../../infra/config/keys/home.ts";
import { defaultUser, machines, network, node } from "../../infra/config/keys/host.ts";
import { configSchema } from "../../infra/config/schema.ts";
import type { Stack } from "../../stacks/index.ts";
import type { MeasuredHardware, Place } from "./measure.ts";

/** Options of `kraft init`, each of which is the answer to a question. */
export interface Flags {
  readonly domain?: string;
  readonly setup?: string;
  readonly machines?: readonly string[];
  readonly user?: string;
  readonly key?: string;
  readonly fingerprint?: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly hardware?: string;
  readonly longhorn?: string;
  readonly resolver?: readonly string[];
  readonly entry?: string;
  readonly bucket?: string;
  readonly region?: string;
  readonly line?: string;
}

export type QuestionName = Exclude<keyof Flags, "fingerprint" | "context">;

/** A question, its option, and what an answer may be. */
export interface Question {
  readonly name: QuestionName;
  readonly text: string;
  /** Why an answer does not fit, or undefined. */
  readonly refusal: (answer: string) => string | undefined;
  /** The answer that is taken if none is given; without it the question must be answered. */
  readonly fallback?: string;
  readonly choices?: readonly { readonly value: string; readonly text: string }[];
}

/** The reason why a value does not fit a key of the stack file, in the words in which a preview would refuse it. */
function refusalOf(schema: z.ZodType, value: unknown): string | undefined {
  const result = schema.safeParse(value);
  if (result.success) {
    return undefined;
  }
  const [allowed = "", fix = ""] = result.error.issues[0]?.message.split("\n") ?? [];
  // There is neither a stack file to set a key in yet, nor a cluster to ask: only the value that a command has is of use.
  const [, meant] = /^pulumi config set \S+ ([^<].*)$/.exec(fix) ?? [];
  const useful = meant === undefined ? fix : `write ${meant}`;
  return /\b(pulumi|kubectl) /.test(useful) ? `allowed: ${allowed}` : `allowed: ${allowed}; ${useful}`;
}

/** The words of an answer: several may be separated by spaces or commas. */
export function wordsOf(answer: string): string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== "");
}

/** A path as it is written, with the home folder for `~/`. */
export function inHome(path: string): string {
  return path.replace(/^~\//, `${homedir()}/`);
}

/** Machines as `192.168.1.11` or `optiplex-1=192.168.1.11`. */
export function placesOf(answer: string): Place[] {
  return wordsOf(answer).map((word) => {
    const [, name, address = word] = /^([^=]*)=(.*)$/.exec(word) ?? [];
    return { name, address };
  });
}

/** `200/50`: megabits per second from the internet and to it; undefined where there is none. */
export function lineOf(answer: string): { readonly downlinkMbps: number; readonly uplinkMbps: number } | undefined {
  const [down, up] = answer.split("/").map(Number);
  return answer === "" || down === undefined || up === undefined ? undefined : { downlinkMbps: down, uplinkMbps: up };
}

/** `48 128Gi 3000Gi`: threads, memory and the file system for Longhorn. */
export function hardwareOf(answer: string): MeasuredHardware {
  const [threads = "", memory = "", longhorn = ""] = wordsOf(answer);
  return {
    threads: Number(threads),
    memoryMebibytes: mebibytes(memory),
    longhornMebibytes: mebibytes(longhorn),
    networkDrivers: [],
    model: undefined,
  };
}

const exampleMachines = "192.168.1.11 192.168.1.12 192.168.1.13";

function machinesRefusal(stack: Stack, answer: string): string | undefined {
  const places = placesOf(answer);
  const addresses = places.map(({ address }) => address);
  const wrong = addresses.flatMap((address) => {
    const refusal = refusalOf(node.shape.address, address);
    return refusal === undefined ? [] : [`${refusal}; ${show(address)} is none`];
  });
  if (places.length === 0 || wrong.length > 0) {
    return wrong[0] ?? `allowed: at least one address; for example ${exampleMachines}`;
  }
  if (new Set(addresses).size < addresses.length) {
    return "allowed: an address of its own for every machine";
  }
  return stack.distribution === "talos" && places.length > 1
    ? "allowed: one address: this stack has one machine"
    : undefined;
}

function hardwareRefusal(answer: string): string | undefined {
  const [threads, memory, longhorn, ...more] = wordsOf(answer);
  return more.length > 0
    ? "allowed: threads, memory and the file system for Longhorn; for example 48 128Gi 3000Gi"
    : refusalOf(hardware, { threads: Number(threads), memory, longhorn });
}

/**
 * The questions that describe a stack on new machines that Kraft sets up (`kraft`), or on a cluster that runs (`own`). At most
 * ten are asked, with the one about the host keys; what depends on the cluster has `isAsked`.
 */
export function questionsFor(stack: Stack) {
  const k3s = stack.distribution === "k3s";
  const schema = configSchema.shape;
  return {
    domain: {
      name: "domain",
      text: "Domain of the platform, whose records you can set",
      refusal: (answer) => refusalOf(schema.domain, answer),
    },
    setup: {
      name: "setup",
      text: "Is there a cluster?",
      choices: [
        { value: "kraft", text: `no: Kraft sets up ${k3s ? "k3s over SSH" : "Talos"}` },
        { value: "own", text: "yes: a kubeconfig opens it" },
      ],
      refusal: (answer) => (["kraft", "own"].includes(answer) ? undefined : "allowed: kraft, own"),
    },
    machines: {
      name: "machines",
      text: k3s ? "Machines' addresses, with spaces" : "Address of the machine",
      refusal: (answer) => machinesRefusal(stack, answer),
    },
    user: {
      name: "user",
      text: "User on the machines, who may use sudo without a password",
      fallback: defaultUser,
      refusal: (answer) => refusalOf(machines.shape.user, answer),
    },
    key: {
      name: "key",
      text: "File of that user's private key (empty: ssh's own choice)",
      fallback: "",
      refusal: (answer) =>
        answer === "" || existsSync(inHome(answer)) ? undefined : "allowed: the path of a file that is there",
    },
    hardware: {
      name: "hardware",
      text: "Threads, memory, Longhorn's file system (48 128Gi 3000Gi)",
      refusal: hardwareRefusal,
    },
    kubeconfig: {
      name: "kubeconfig",
      text: "File of the kubeconfig",
      fallback: `~/.kube/kraft-${stack.name}.yaml`,
      refusal: (answer) => refusalOf(schema.cluster.shape.kubeconfig, answer),
    },
    longhorn: {
      name: "longhorn",
      text: `Size of ${stack.storage.dataPath} on each node (df -h), such as 690Gi`,
      refusal: (answer) => refusalOf(hardware.shape.longhorn, answer),
    },
    resolver: {
      name: "resolver",
      text: "Name servers of the nodes (cat /etc/resolv.conf on one)",
      refusal: (answer) => refusalOf(network.shape.resolvers, wordsOf(answer)),
    },
    entry: {
      name: "entry",
      text: "Entrypoint's own address, outside DHCP (empty: the nodes')",
      fallback: "",
      refusal: (answer) => (answer === "" ? undefined : refusalOf(network.shape.entry, answer)),
    },
    bucket: {
      name: "bucket",
      text: "Bucket for backups at Wasabi",
      refusal: (answer) => refusalOf(backup.shape.bucket, answer),
    },
    region: {
      name: "region",
      // Typed: the first of a list would be taken by somebody who only presses Enter.
      text: "Region of the bucket, for example eu-central-2",
      refusal: (answer) => refusalOf(backup.shape.region, answer),
    },
    line: {
      name: "line",
      text: "Line in Mbit/s, down/up, for example 200/50 (empty: leave it out)",
      fallback: "",
      refusal: (answer) =>
        answer === ""
          ? undefined
          : /^[^/]+\/[^/]+$/.test(answer)
            ? refusalOf(line, lineOf(answer))
            : "allowed: two numbers with a slash, for example 200/50",
    },
  } as const satisfies { readonly [Name in QuestionName]: Question & { readonly name: Name } };
}

export type Questions = ReturnType<typeof questionsFor>;

/** Names of the questions that must be answered by option where nobody can be asked, in the order in which they are asked. */
export function neededFor(stack: Stack, setup: string | undefined): (QuestionName | "fingerprint")[] {
  const machines =
    stack.distribution === "talos" ? (["machines", "hardware"] as const) : (["machines", "fingerprint"] as const);
  return [
    "domain",
    "setup",
    ...(setup === "own" ? [] : machines),
    ...(setup === "own" && stack.distribution === "k3s" ? (["resolver"] as const) : []),
    "bucket",
    "region",
  ];
}
