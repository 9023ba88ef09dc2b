import type { S3Key } from "../../components/plan/s3.ts";
import { Failure } from "../../errors/failure.ts";
import { parse } from "../../infra/config/parse.ts";
import { backupKeyNames } from "../../infra/config/rules/backup-keys.ts";
import type { StackFile } from "../../infra/config/stack-file.ts";
import { type Decrypt, decrypter, passphraseOf } from "./passphrase.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The key that opens the bucket with the backups. */
export interface BucketKey extends S3Key {
  /** Where it comes from, for messages. */
  readonly source: string;
}

/**
 * The key of the backups: that of the environment, by the names that every S3 tool knows, or that of the stack file.
 *
 * @throws Failure where there is none, saying what to set.
 */
export async function bucketKey(file: StackFile, environment: Environment): Promise<BucketKey> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = environment;
  if (accessKeyId !== "" && secretAccessKey !== "") {
    return { accessKeyId, secretAccessKey, source: "the environment" };
  }
  if (accessKeyId !== "" || secretAccessKey !== "") {
    throw new Failure(
      "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set\n  Set both, or neither to take the stack file's.",
    );
  }
  const keys = bucketKeyNames(file);
  const [id, secret] = await openSecrets(file, environment, keys);
  return { accessKeyId: id, secretAccessKey: secret, source: file.name };
}

/** The keys of the stack file that hold it. */
export function bucketKeyNames(file: StackFile): readonly [string, string] {
  return backupKeyNames(parse(file.raw).config.backup?.managed === true);
}

/**
 * Encrypted values of a stack file, in the order of their keys.
 *
 * @throws Failure where a value, the salt or the passphrase is missing or wrong.
 */
export async function openSecrets<const Keys extends readonly string[]>(
  file: StackFile,
  environment: Environment,
  keys: Keys,
): Promise<{ readonly [Index in keyof Keys]: string }> {
  const missing = keys.filter((key) => !file.ciphertexts.has(key));
  if (missing.length > 0) {
    throw new Failure(
      `${file.name} has no encrypted ${missing.map((key) => `kraft:${key}`).join(", ")}\n` +
        `  ${missing.map((key) => `pulumi config set --secret kraft:${key}`).join("\n  ")}`,
    );
  }
  const decrypt = await opener(file, environment);
  return keys.map((key) => decrypt(file.ciphertexts.get(key) ?? "")) as { [Index in keyof Keys]: string };
}

/**
 * What opens a stack file, with the passphrase of the environment.
 *
 * @throws Failure as `openSecrets` does.
 */
export async function opener(file: StackFile, environment: Environment): Promise<Decrypt> {
  if (file.encryptionSalt === undefined) {
    throw new Failure(
      `${file.name} has no line encryptionsalt, without which no passphrase opens it\n` +
        "  Bring it back from the repository's history, or from the recovery kit.",
    );
  }
  const passphrase = passphraseOf(environment);
  if (passphrase === undefined) {
    throw new Failure(
      `the passphrase of ${file.name} is needed: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE`,
    );
  }
  return decrypter(file.encryptionSalt, passphrase, file.name);
}
