import { createDecipheriv, pbkdf2 } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { Failure, messageOf } from "../../errors/failure.ts";

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
 * The passphrase that the environment gives, by the variables that Pulumi reads.
 *
 * @returns undefined where there is none.
 * @throws Failure where the file that is named cannot be read.
 */
export function passphraseOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  if (passphrase !== undefined) {
    return passphrase;
  }
  if (file === undefined) {
    return undefined;
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Failure(`PULUMI_CONFIG_PASSPHRASE_FILE cannot be read: ${messageOf(error)}`);
  }
}

/**
 * What opens the encrypted values of a stack file.
 *
 * @param salt Its line `encryptionsalt`.
 * @param where The file, for messages.
 * @throws Failure where the passphrase is wrong, or the line is not Pulumi's.
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
