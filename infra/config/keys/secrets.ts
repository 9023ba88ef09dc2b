import { expect, text } from "./values.ts";

function secret(name: string, pattern: RegExp, allowed: string) {
  return text(pattern, expect(allowed, `pulumi config set --secret kraft:${name}`));
}

/** Keys whose value must be encrypted in the stack file. */
export const secrets = {
  wasabiAdminAccessKeyId: secret(
    "wasabiAdminAccessKeyId",
    /^\S+$/,
    "the access key of an administrator at Wasabi, without spaces or line breaks",
  )
    .optional()
    .describe(
      "Access key of an administrator at Wasabi, who makes the bucket; only with kraft:backup.managed. Secret.",
    ),
  wasabiAdminSecretAccessKey: secret(
    "wasabiAdminSecretAccessKey",
    /^\S+$/,
    "the secret key of an administrator at Wasabi, without spaces or line breaks",
  )
    .optional()
    .describe("Secret key of that administrator. Secret."),
  wasabiAccessKeyId: secret(
    "wasabiAccessKeyId",
    /^\S+$/,
    "the access key of the bucket's user, without spaces or line breaks",
  )
    .optional()
    .describe("Access key of the bucket's user; not with kraft:backup.managed. Secret."),
  wasabiSecretAccessKey: secret(
    "wasabiSecretAccessKey",
    /^\S+$/,
    "the secret key of the bucket's user, without spaces or line breaks",
  )
    .optional()
    .describe("Secret key of the bucket's user; not with kraft:backup.managed. Secret."),
  machineKey: secret(
    "machineKey",
    // Or one word: what stands for a secret where nobody reads it.
    /^(-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+|[\w-]+)$/,
    "an SSH private key without a passphrase, as ssh-keygen writes it",
  )
    .optional()
    .describe("SSH private key of the user on the nodes; only with kraft:machines. Secret."),
  k3sToken: secret(
    "k3sToken",
    /^[\w-]{32,}$/,
    "at least 32 random letters and digits, for example of `openssl rand -hex 32`",
  )
    .optional()
    .describe(
      "The token that nodes join with; only with kraft:machines. Secret; no etcd snapshot can be restored without it.",
    ),
  talosSecrets: secret(
    "talosSecrets",
    // Or one word: what stands for a secret where nobody reads it.
    /^(cluster:\s[\s\S]+|[\w-]+)$/,
    "what `talosctl gen secrets` wrote, whole",
  )
    .optional()
    .describe(
      "What `talosctl gen secrets` wrote; only with kraft:machines on Talos. Secret: it is the cluster's keys.",
    ),
  diskPassphrase: secret(
    "diskPassphrase",
    /^[\w-]{32,}$/,
    "at least 32 random letters and digits, for example of `openssl rand -hex 32`",
  )
    .optional()
    .describe(
      "Opens the disks of a machine on Talos whose mainboard is gone; only with kraft:machines on Talos. Secret.",
    ),
  guestTokenSeed: secret(
    "guestTokenSeed",
    /^.{32,}$/,
    "at least 32 random characters, for example of `openssl rand -hex 32`",
  ).describe("What every guest's K3s token is derived from. Secret; a guest cannot be restored without it."),
  sourceAccessKeyId: secret(
    "sourceAccessKeyId",
    /^\S+$/,
    "the access key of a user who may read the backups in kraft:source, without spaces or line breaks",
  )
    .optional()
    .describe("Access key for the backups in kraft:source; only with it. Secret."),
  sourceSecretAccessKey: secret(
    "sourceSecretAccessKey",
    /^\S+$/,
    "the secret key of that user, without spaces or line breaks",
  )
    .optional()
    .describe("Secret key for the backups in kraft:source; only with it. Secret."),
  sourceTokenSeed: secret(
    "sourceTokenSeed",
    /^.{32,}$/,
    "kraft:guestTokenSeed of the stack that tenants moved here from",
  )
    .optional()
    .describe(
      "kraft:guestTokenSeed of the stack that tenants moved here from: their tokens go on following from it. Secret.",
    ),
};
