import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { ensureProcess } from "../../local/host-cluster.ts";
import { waitUntilReady } from "../../local/processes.ts";
import { ensureBucket, newS3Keys, s3Answers, s3Client, s3Endpoint, type S3Keys, s3Plan } from "../../local/s3.ts";
import { freePorts, StateStore } from "../../local/state.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { removeCluster, removeIfAbandoned } from "../cluster/abandoned.ts";

const place = { region: "eu-central-2", bucket: "kraft-local" } as const;

/** A bucket outside of every home, in Wasabi's place: it outlives them, and goes with the rehearsal. */
export class OutsideBucket {
  keys: S3Keys = newS3Keys();
  readonly #directory = join(mkdtempSync(join(tmpdir(), "kraft-bucket-")), "bucket");
  readonly #keep = removeIfAbandoned(this.#directory);
  // As of a cluster with this one process, so that it is removed as one.
  readonly #state = new StateStore(this.#directory, "bucket");
  #port = 0;

  /** What a stack file says of a place in it, as `kraft:backup` does. */
  location(prefix: string): Readonly<Record<"region" | "bucket" | "prefix" | "endpoint", string>> {
    return { ...place, prefix, endpoint: s3Endpoint(this.#port) };
  }

  async start(): Promise<void> {
    const [port = 0] = this.#port === 0 ? await freePorts(1) : [this.#port];
    this.#port = port;
    const tools = await readyTools(silentReporter);
    const options = { ...this.keys, ...place, tools, port, directory: join(this.#directory, "s3") };
    const record = await ensureProcess(this.#state, s3Plan(options, join(this.#directory, "s3.log")), []);
    await waitUntilReady("s3", record, () => s3Answers(port));
    await ensureBucket(options);
  }

  /** A new key in place of the old one, which opens nothing from now on. */
  async replaceKeys(): Promise<void> {
    this.keys = newS3Keys();
    await this.start();
  }

  /** Whether a key opens it. */
  async opens(keys: S3Keys): Promise<boolean> {
    const client = s3Client({ ...keys, endpoint: s3Endpoint(this.#port), region: place.region });
    try {
      await client.send(new ListObjectsV2Command({ Bucket: place.bucket, MaxKeys: 1 }));
      return true;
    } catch {
      return false;
    } finally {
      client.destroy();
    }
  }

  async remove(): Promise<void> {
    await removeCluster(this.#directory);
    this.#keep();
  }
}
