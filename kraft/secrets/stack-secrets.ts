import { createDecipheriv, pbkdf2 } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { S3Key } from "../../components/plan/backup-store.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { parse } from "../../infra/config/parse.ts";
import { backupKeyNames } from "../../infra/config/rules/secrets.ts";
import type { StackFile } from "../../infra/config/stack-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The key of the backups: that of the environment, by the names that every S3 tool knows, or that of the stack file. Where
 * there is none, the Failure says what to set.
 */
export async function bucketKey(file: StackFile, environment: Environment): Promise<S3Key> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = environment;
  if (accessKeyId !== "" && secretAccessKey !== "") {
    return { accessKeyId, secretAccessKey };
  }
  if (accessKeyId !== "" || secretAccessKey !== "") {
    throw new Failure(
      "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set\n  Set both, or neither to take the stack file's.",
    );
  }
  const [id, secret] = await openSecrets(file, environment, bucketKeyNames(file));
  return { accessKeyId: id, secretAccessKey: secret };
}

/** The keys of the stack file that hold it. */
export function bucketKeyNames(file: StackFile): readonly [string, string] {
  return backupKeyNames(parse(file.raw).config.backup?.managed === true);
}

/** Encrypted values of a stack file, in the order of their keys; a Failure where anything for it is missing or wrong. */
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

/** What opens a stack file, with the passphrase of the environment. Throws as `openSecrets` does. */
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

/**
 * Pulumi's passphrase encryption, as its CLI has it (pulumi/pulumi: pkg/secrets/passphrase/manager.go and
 * sdk/go/common/resource/config/crypt.go), so that a stack file can be opened where there is nothing but the checkout and
 * the passphrase: no engine, no state.
 */

const iterations = 1_000_000;
const tagBytes = 16;

/** What the file's salt line holds encrypted, so that a wrong passphrase is noticed. */
const proof = "pulumi";

/** Opens one value of a stack file. */
export type Decrypt = (ciphertext: string) => string;

/**
 * The passphrase that the environment gives, by the variables that Pulumi reads, or undefined; a Failure where the file that
 * is named cannot be read.
 */
export function passphraseOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  if (passphrase !== undefined || file === undefined) {
    return passphrase;
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Failure(`PULUMI_CONFIG_PASSPHRASE_FILE cannot be read: ${messageOf(error)}`);
  }
}

/**
 * What opens the encrypted values of a stack file, by its line `encryptionsalt`. A Failure, naming the file as `where`, says
 * that the passphrase is wrong, or the line is not Pulumi's.
 */
export async function decrypter(salt: string, passphrase: string, where: string): Promise<Decrypt> {
  const [, encoded, proofText] = /^v1:([^:]+):(v1:[^:]+:[^:]+)$/.exec(salt) ?? [];
  if (encoded === undefined || proofText === undefined) {
    throw new Failure(
      `the line encryptionsalt of ${where} is not what Pulumi writes: bring it back from the repository's history`,
    );
  }
  const key = await promisify(pbkdf2)(passphrase, Buffer.from(encoded, "base64"), iterations, 32, "sha256");
  const decrypt: Decrypt = (ciphertext) => {
    const [version, nonce = "", sealed = ""] = ciphertext.split(":");
    const bytes = Buffer.from(sealed, "base64");
    if (version !== "v1" || bytes.length < tagBytes) {
      throw new Failure(`an encrypted value of ${where} is not what Pulumi writes`);
    }
    try {
      const cipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"), { authTagLength: tagBytes });
      cipher.setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([cipher.update(bytes.subarray(0, -tagBytes)), cipher.final()]).toString("utf8");
    } catch {
      // Node's message would be about authentication tags.
      throw new Failure(`an encrypted value of ${where} does not open with this passphrase`);
    }
  };
  let opened: string;
  try {
    opened = decrypt(proofText);
  } catch {
    opened = "";
  }
  if (opened !== proof) {
    throw new Failure(`the passphrase is not the one of ${where}`);
  }
  return decrypt;
}
