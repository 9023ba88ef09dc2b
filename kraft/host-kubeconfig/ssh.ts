import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";

/** A node, and who it has to be. */
export interface HostNode {
  readonly name: string;
  readonly address: string;
  /** As `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** Seconds that one node has for its answer. */
const timeoutSeconds = 30;

/** What a command on a node came to. */
interface Answer {
  readonly code: number;
  readonly output: string;
  /** The part of what ssh says that tells why it failed. */
  readonly why: string;
}

/** Runs a command on a node. With `key` undefined, ssh takes its own choice of keys. */
export type Ssh = (node: HostNode, user: string, key: string | undefined, command: string) => Promise<Answer>;

/**
 * Lends the operator's own `ssh` for some nodes. None but a node that proves its host key is talked to, whatever the operator's
 * known hosts say. Throws a Failure where there is no `ssh`.
 */
export async function withHostKeys<Result>(
  nodes: readonly HostNode[],
  work: (ssh: Ssh) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "kraft-known-hosts-"));
  const knownHosts = join(folder, "known_hosts");
  try {
    writeFileSync(knownHosts, nodes.map(({ address, hostKey }) => `${address} ${hostKey}\n`).join(""));
    return await work(async ({ address }, user, key, command) => {
      const { code, output, error } = await run("ssh", [...options(knownHosts, key), `${user}@${address}`, command]);
      const why = error.split(/\r?\n/).findLast((line) => line.trim() !== "" && !line.startsWith("@"));
      return { code, output, why: why ?? `ssh ended with ${code}` };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function options(knownHosts: string, key: string | undefined): string[] {
  const settings = [
    `UserKnownHostsFile=${knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "HostKeyAlgorithms=ssh-ed25519",
    "UpdateHostKeys=no",
    "BatchMode=yes",
    "ConnectTimeout=10",
    ...(key === undefined ? [] : ["IdentitiesOnly=yes"]),
  ];
  return [...settings.flatMap((setting) => ["-o", setting]), ...(key === undefined ? [] : ["-i", key])];
}

/** The host key that whoever answers at an address shows: nothing proves yet that it is the machine. Undefined without answer. */
export async function shownHostKey(address: string): Promise<string | undefined> {
  const { output } = await run("ssh-keyscan", ["-T", "10", "-t", "ed25519", address]);
  const [, key] = /^\S+ (ssh-ed25519 \S+)$/m.exec(output) ?? [];
  return key;
}

/** The fingerprint of a host key, as `ssh-keygen -l` prints it. */
export function fingerprintOf(hostKey: string): string {
  const [, blob = ""] = hostKey.split(" ");
  return `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
}

function run(
  program: string,
  rest: readonly string[],
): Promise<{ readonly code: number; readonly output: string; readonly error: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutSeconds * 1000 });
    let output = "";
    let error = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString("utf8")));
    child.stderr.on("data", (text: Buffer) => (error += text.toString("utf8")));
    child.on("error", () => {
      reject(new Failure(`the command ${program} is missing\n  install it, for example: apt install openssh-client`));
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 1, output, error: code === null ? `no answer within ${timeoutSeconds} s` : error });
    });
  });
}
