import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Failure } from "../errors/failure.ts";
import { logFile } from "./control-plane.ts";
import { ensureProcess, type HostCluster } from "./host-cluster.ts";
import { withLock } from "./lock.ts";
import { answersOk, type ProcessPlan, waitUntilReady } from "./processes.ts";
import { writeFileWhole } from "./state.ts";
import { ignore } from "./terminal.ts";
import { toolPath, type Tools } from "./toolchain/ready.ts";

/** A key of an S3 server. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Options extends S3Keys {
  /** Everything that the server stores is in this folder. What is there already is served. */
  readonly directory: string;
  readonly tools: Tools;
  /** The one region that requests may be signed for. */
  readonly region: string;
  /** Made, with versioning on, where it is not there yet. */
  readonly bucket: string;
  /** Port of the loopback address. */
  readonly port: number;
}

export function s3Endpoint(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** No bucket's name: it has three characters at least. */
const healthPath = "/-";

/** The server's process. */
export function s3Plan(options: S3Options, log: string): ProcessPlan {
  const { directory, port, region } = options;
  const objects = join(directory, "objects");
  const versions = join(directory, "versions");
  for (const folder of [objects, versions]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  return {
    name: "s3",
    executable: toolPath(options.tools, "versitygw"),
    arguments: [
      "--quiet",
      `--port=127.0.0.1:${port}`,
      `--region=${region}`,
      `--health=${healthPath}`,
      "posix",
      `--versioning-dir=${versions}`,
      objects,
    ],
    environment: { ROOT_ACCESS_KEY: options.accessKeyId, ROOT_SECRET_KEY: options.secretAccessKey },
    logFile: log,
  };
}

/** Whether a server answers on a port of the loopback address. */
export function s3Answers(port: number): Promise<boolean> {
  return answersOk(s3Endpoint(port) + healthPath);
}

/** A client of a server of ours. The caller destroys it. */
export function s3Client(server: S3Keys & { readonly endpoint: string; readonly region: string }): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** Versioning, as the bucket at Wasabi must have it: whoever deletes backups with Longhorn's key has not deleted them. */
export async function ensureBucket(options: S3Options): Promise<void> {
  const client = s3Client({ ...options, endpoint: s3Endpoint(options.port) });
  try {
    try {
      await client.send(new CreateBucketCommand({ Bucket: options.bucket }));
    } catch (error) {
      // The server's own key may do everything, also with a bucket that was made under another.
      if (!(error instanceof BucketAlreadyOwnedByYou) && !(error instanceof BucketAlreadyExists)) {
        throw error;
      }
    }
    await client.send(
      new PutBucketVersioningCommand({ Bucket: options.bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
  } finally {
    client.destroy();
  }
}

function keysFile(directory: string): string {
  return join(directory, "credentials", "s3-keys.json");
}

/** The keys of a cluster's S3 server; undefined until `keepS3Keys` was called for it. */
export function readS3Keys(directory: string): S3Keys | undefined {
  const path = keysFile(directory);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as S3Keys) : undefined;
}

export function newS3Keys(): S3Keys {
  return {
    accessKeyId: randomBytes(10).toString("hex").toUpperCase(),
    secretAccessKey: randomBytes(32).toString("hex"),
  };
}

export function keepS3Keys(directory: string, keys: S3Keys): void {
  writeFileWhole(keysFile(directory), JSON.stringify(keys), 0o600);
}

/** The port that a cluster keeps for its S3 server. */
export function s3Port(cluster: Pick<HostCluster, "directory" | "state">): number {
  const port = cluster.state.ports?.s3;
  if (port === undefined) {
    throw new Failure(`${cluster.directory} holds no cluster that runs.`);
  }
  return port;
}

/** Makes sure that a cluster's S3 server runs: among its processes, on its port, with what it stores in its folder. */
export async function ensureS3(
  cluster: HostCluster,
  options: S3Keys & Pick<S3Options, "region" | "bucket">,
): Promise<void> {
  const { directory, state, tools } = cluster;
  const port = s3Port(cluster);
  const complete = { ...options, directory: join(directory, "s3"), tools, port };
  await withLock(`${directory}.lock`, ignore, async () => {
    const record = await ensureProcess(state, s3Plan(complete, logFile(directory, "s3")), []);
    await waitUntilReady("s3", record, () => s3Answers(port));
  });
  await ensureBucket(complete);
}
