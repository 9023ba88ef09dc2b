import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import type { S3Key, S3Location } from "../../components/plan/backup-store.ts";
import { Failure, messageOf } from "../../errors/failure.ts";

/** A backup target and its key. Nothing but its endpoint is ever called. */
export type BackupStore = S3Location & S3Key;

/** An object as a listing shows it. */
export interface Listed {
  readonly key: string;
  readonly bytes: number;
}

/** Reads the bucket of a backup target. Every call throws `Failure` where the bucket cannot be read. */
export interface Reader {
  /** Folders directly in a folder, as their names without slashes. */
  folders(folder: string): Promise<string[]>;
  /** Every object below a folder, or whose key begins like that. */
  objects(prefix: string): Promise<Listed[]>;
  /** The text of an object, or only its `first` bytes; undefined where there is none. */
  text(key: string, first?: number): Promise<string | undefined>;
  close(): void;
}

/** Concurrent requests: enough to hide round trips, few enough for Wasabi's fair use. */
const concurrency = 16;

/** How often a request is made before it counts as failed, with pauses that grow. */
const attempts = 4;

/** Milliseconds. A listing of a thousand keys takes less than one, and nothing here is large. */
const timeouts = { connection: 5000, request: 30_000 };

/** Loads the S3 client here, because that takes longer than most commands do. */
export async function openStore(store: BackupStore, requestTimeout = timeouts.request): Promise<Reader> {
  const [sdk, { Agent: HttpsAgent }, { Agent: HttpAgent }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("node:https"),
    import("node:http"),
  ]);
  const agent = { keepAlive: true, maxSockets: concurrency };
  const client = new sdk.S3Client({
    endpoint: store.endpoint,
    region: store.region,
    forcePathStyle: true,
    followRegionRedirects: false,
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
    maxAttempts: attempts,
    // Other servers than Amazon's do not know its newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: timeouts.connection,
      requestTimeout,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
      httpsAgent: new HttpsAgent(agent),
      httpAgent: new HttpAgent(agent),
    },
  });
  const limited = limiter(concurrency);
  const ask = <Answer>(call: () => Promise<Answer>): Promise<Answer> =>
    limited(call).catch((error: unknown) => {
      throw failureOf(error, store);
    });
  const pages = (Prefix: string, Delimiter?: "/") =>
    ask(async () => {
      const found: ListObjectsV2CommandOutput[] = [];
      for await (const page of sdk.paginateListObjectsV2({ client }, { Bucket: store.bucket, Prefix, Delimiter })) {
        found.push(page);
      }
      return found;
    });
  return {
    folders: async (folder) =>
      (await pages(folder, "/"))
        .flatMap(({ CommonPrefixes = [] }) => CommonPrefixes)
        .map(({ Prefix = "" }) => Prefix.slice(folder.length).replace(/\/$/, "")),
    objects: async (prefix) =>
      (await pages(prefix))
        .flatMap(({ Contents = [] }) => Contents)
        .map(({ Key = "", Size = 0 }) => ({ key: Key, bytes: Size })),
    text: (key, first) =>
      ask(async () => {
        try {
          const { Body } = await client.send(
            new sdk.GetObjectCommand({
              Bucket: store.bucket,
              Key: key,
              Range: first === undefined ? undefined : `bytes=0-${first - 1}`,
            }),
          );
          return (await Body?.transformToString("utf8")) ?? "";
        } catch (error) {
          const { name } = error as { readonly name?: string };
          if (name === "NoSuchKey") {
            return undefined;
          }
          // The object is empty.
          if (name === "InvalidRange") {
            return "";
          }
          throw error;
        }
      }),
    close: () => {
      client.destroy();
    },
  };
}

/** Runs at most `count` calls at once, in the order in which they came. */
function limiter(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  return async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (free > 0) {
      free -= 1;
    } else {
      await new Promise<void>((resume) => waiting.push(resume));
    }
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next === undefined) {
        free += 1;
      } else {
        next();
      }
    }
  };
}

/** Codes of errors for an invalid key. The last one is versitygw's, for a key that does not exist. */
const refusals: ReadonlySet<string> = new Set([
  "AccessDenied",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "XAdminUserNotFound",
]);

/** The error of an S3 server or of the connection to it, with what the operator can do about it. */
function failureOf(error: unknown, { endpoint, region, bucket }: BackupStore): Failure {
  const { name = "", $metadata } = error as {
    readonly name?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const where = `the bucket ${bucket} at ${endpoint}`;
  if (name === "NoSuchBucket") {
    return new Failure(`${where} does not exist\n  Correct kraft:backup.bucket and kraft:backup.region.`);
  }
  if (refusals.has(name) || $metadata?.httpStatusCode === 403) {
    return new Failure(
      `${where} refuses the key: ${name}: ${messageOf(error)}\n` +
        "  Take the key of the backups' user, and see that it may list the bucket and read what is in it.",
    );
  }
  if (name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed") {
    return new Failure(`${where} is not in the region ${region}: ${messageOf(error)}\n  Correct kraft:backup.region.`);
  }
  const status = $metadata?.httpStatusCode;
  return new Failure(
    status === undefined
      ? `${where} cannot be reached: ${messageOf(error) || name}\n  Is the line up, and does kraft:backup.endpoint fit?`
      : `${where} answers ${status} ${name}: ${messageOf(error)}\n  Try again; see the provider's status page if it stays so.`,
  );
}
