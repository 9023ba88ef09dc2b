import { spawn } from "node:child_process";
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

const separator = "--- kraft ---";

/** What runs on the node: nothing is changed there. */
const remote =
  'become=""; [ "$(id -u)" = 0 ] || become="sudo -n"; $become cat /etc/rancher/k3s/k3s.yaml && ' +
  `echo "${separator}" && $become k3s kubectl get namespace kube-system -o jsonpath='{.metadata.uid}'`;

/**
 * Asks one node after the other, over the operator's own `ssh`, until one answers, for the kubeconfig that k3s wrote, a
 * credential, and the UID of the namespace kube-system. None but a node that proves its host key is talked to, whatever the
 * operator's known hosts say. If none answers, the Failure names what each one said.
 */
export async function askNodes(nodes: readonly HostNode[], user: string, key: string | undefined) {
  const folder = mkdtempSync(join(tmpdir(), "kraft-known-hosts-"));
  const knownHosts = join(folder, "known_hosts");
  try {
    writeFileSync(knownHosts, nodes.map(({ address, hostKey }) => `${address} ${hostKey}\n`).join(""));
    const failures: string[] = [];
    for (const node of nodes) {
      const said = await ssh([...options(knownHosts, key), `${user}@${node.address}`, remote]);
      const [kubeconfig, uid] = said.output.split(`${separator}\n`);
      if (said.code === 0 && kubeconfig !== undefined && uid !== undefined) {
        return { node, kubeconfig, uid: uid.trim() };
      }
      // The part of what ssh says that tells why.
      const why = said.error.split(/\r?\n/).findLast((line) => line.trim() !== "" && !line.startsWith("@"));
      failures.push(`${node.name} (${node.address}): ${why ?? `ssh ended with ${said.code}`}`);
    }
    throw new Failure(`no node gave its kubeconfig\n  ${failures.join("\n  ")}`);
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

function ssh(
  rest: readonly string[],
): Promise<{ readonly code: number; readonly output: string; readonly error: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", rest, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutSeconds * 1000 });
    let output = "";
    let error = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString("utf8")));
    child.stderr.on("data", (text: Buffer) => (error += text.toString("utf8")));
    child.on("error", () => {
      reject(new Failure("the command ssh is missing\n  install it, for example: apt install openssh-client"));
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 1, output, error: code === null ? `no answer within ${timeoutSeconds} s` : error });
    });
  });
}
