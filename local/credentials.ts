import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Access } from "./api.ts";
import { writeFileWhole } from "./state.ts";

/** Secrets of one embedded cluster, each a file that only its user can read, made once. */
export interface Credentials {
  readonly token: string;
  readonly tokenFile: string;
  readonly serviceAccountPrivateKey: string;
  readonly serviceAccountPublicKey: string;
}

/** The text of a secret file, made by `make` if it is not there yet. */
export function secretFile(path: string, make: () => string): string {
  if (!existsSync(path)) {
    writeFileWhole(path, make(), 0o600);
  }
  return readFileSync(path, "utf8");
}

export function provideCredentials(directory: string): Credentials {
  const folder = join(directory, "credentials");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const token = secretFile(join(folder, "admin-token"), () => randomBytes(32).toString("base64url"));
  const tokenFile = join(folder, "tokens.csv");
  secretFile(tokenFile, () => `${token},kraft-admin,kraft-admin,"system:masters"\n`);
  const serviceAccountPrivateKey = join(folder, "service-account.key");
  const serviceAccountPublicKey = join(folder, "service-account.pub");
  if (!existsSync(serviceAccountPublicKey) || !existsSync(serviceAccountPrivateKey)) {
    const pair = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    writeFileWhole(serviceAccountPrivateKey, pair.privateKey);
    writeFileWhole(serviceAccountPublicKey, pair.publicKey);
  }
  return { token, tokenFile, serviceAccountPrivateKey, serviceAccountPublicKey };
}

export function kubeconfigText(context: string, access: Access): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [
      {
        name: context,
        cluster: {
          server: access.server,
          "certificate-authority-data": Buffer.from(access.certificateAuthority).toString("base64"),
        },
      },
    ],
    users: [{ name: context, user: { token: access.token } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });
}
