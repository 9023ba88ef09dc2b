// A host cluster of the stack `local` on which the platform is up and has no tenants: brought up once, then started again
// from a copy in seconds. Tests about starting from nothing use `embedded`.
//
// Its CRDs have no descriptions, which are three fifths of all that the engine and the API server handle.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KubernetesObject } from "../../cluster/objects.ts";
import type { Api } from "../../local/api.ts";
import { cacheDirectory } from "../../local/cache.ts";
import { chartsFolder } from "../../local/engine.ts";
import { stopHostCluster } from "../../local/host-cluster.ts";
import { withLock } from "../../local/lock.ts";
import { ignore, silentReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { stripDescriptions } from "./crd-descriptions.ts";
import { type Embedded, embedded, newDirectory, started } from "./embedded.ts";

const root = join(import.meta.dirname, "../..");

/** Whatever decides what a platform without tenants is. */
const sources = [
  ...["cluster", "components", "errors", "infra", "local", "stacks"],
  ...["Pulumi.yaml", "Pulumi.local.yaml", "package-lock.json"],
  ...["test/cluster/embedded.ts", "test/cluster/platform.ts", "test/cluster/crd-descriptions.ts"],
];

/** What a running cluster writes down, and a copy of it must not know: its processes, ports and logs. */
const ofOneCluster = ["state.json", "logs"];

/** A cluster of its own on which the platform is up. The first `up` adds the tenants. */
export async function platform(): Promise<Embedded> {
  const image = await platformImage();
  const directory = newDirectory("local");
  copy(image, directory);
  const host = await started("local", directory);
  await moveWebhook(host.cluster.api);
  return host;
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  // Not `cpSync`: the S3 server keeps what it knows of an object in extended attributes.
  run("cp", "-a", "--reflink=auto", from, to);
}

function run(command: string, ...commandArguments: string[]): void {
  const { status, stderr } = spawnSync(command, commandArguments, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command}: ${stderr}`);
  }
}

/** Takes the descriptions out of every CRD in a folder of packed charts. */
function withoutDescriptions(charts: string): void {
  for (const name of readdirSync(charts)) {
    const unpacked = join(charts, `${name}.unpacked`);
    mkdirSync(unpacked);
    run("tar", "-xzf", join(charts, name), "-C", unpacked);
    for (const file of filesOf(unpacked)) {
      const text = readFileSync(file, "utf8");
      if (text.includes("kind: CustomResourceDefinition")) {
        writeFileSync(file, stripDescriptions(text));
      }
    }
    run("tar", "-czf", join(charts, name), "-C", unpacked, ...readdirSync(unpacked));
    rmSync(unpacked, { recursive: true });
  }
}

/** The folder of a stopped cluster with the platform, made now if there is none of these very sources and tools. */
async function platformImage(): Promise<string> {
  const parent = join(cacheDirectory(), "test-platforms");
  const image = join(parent, await fingerprint());
  await withLock(`${image}.lock`, ignore, async () => {
    if (existsSync(image)) {
      return;
    }
    removeOld(parent);
    const host = await embedded("local");
    const { directory } = host.cluster;
    try {
      withoutDescriptions(chartsFolder(directory));
      await host.up({ "kraft:tenants": {} });
      host.cluster.api.close();
      await stopHostCluster(directory);
      for (const name of ofOneCluster) {
        rmSync(join(directory, name), { recursive: true });
      }
      const draft = `${image}.${process.pid}`;
      copy(directory, draft);
      renameSync(draft, image);
    } finally {
      await host.remove();
    }
  });
  return image;
}

/** Names the sources, the tools, and the day: certificates of the platform are not for ever. */
async function fingerprint(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of sources) {
    for (const file of filesOf(join(root, source))) {
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(readFileSync(file))
        .update("\0");
    }
  }
  const tools = [...(await readyTools(silentReporter)).values()];
  hash.update(JSON.stringify([tools, process.version, new Date().toISOString().slice(0, 10)]));
  return hash.digest("hex").slice(0, 16);
}

function filesOf(path: string): string[] {
  if (statSync(path).isFile()) {
    return [path];
  }
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Removes those of other days: a checkout beside this one may use another of today. */
function removeOld(parent: string): void {
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const path = join(parent, name);
    if (Date.now() - statSync(path).mtimeMs > 24 * 3_600_000) {
      rmSync(path, { recursive: true });
    }
  }
}

interface Service extends KubernetesObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * Gives cert-manager's webhook another address. It listens on that of its Service, which all copies have in common: only
 * one could.
 */
async function moveWebhook(api: Api): Promise<void> {
  const path = "/api/v1/namespaces/cert-manager/services";
  const service = await api.get<Service>(`${path}/cert-manager-webhook`);
  if (service === undefined) {
    throw new Error("the platform has no webhook of cert-manager");
  }
  const { clusterIP: _address, clusterIPs: _addresses, ...spec } = service.spec;
  const { name, namespace, labels, annotations } = service.metadata;
  await api.delete(`${path}/${name}`);
  await api.create(path, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels, annotations },
    spec,
  });
}
