import { expect, text } from "./values.ts";

/** @param allowed What a valid value is, without the value itself: no message may show one. */
function secret(name: string, pattern: RegExp, allowed: string) {
  return text(pattern, expect(allowed, `pulumi config set --secret kraft:${name}`));
}

function accessKey(name: string, what: string, description: string) {
  return secret(name, /^\S+$/, `the ${what}, without spaces or line breaks`).optional().describe(description);
}

const random = "at least 32 random letters and digits, for example of `openssl rand -hex 32`";

// Some patterns accept a single word too: it stands for the secret where a stack file is read without its passphrase.

/** Keys whose value must be encrypted in the stack file. */
export const secrets = {
  wasabiAdminAccessKeyId: accessKey(
    "wasabiAdminAccessKeyId",
    "access key of an administrator at Wasabi",
    "Access key of an administrator at Wasabi, who makes the bucket; only with kraft:backup.managed. Secret.",
  ),
  wasabiAdminSecretAccessKey: accessKey(
    "wasabiAdminSecretAccessKey",
    "secret key of an administrator at Wasabi",
    "Secret key of that administrator. Secret.",
  ),
  wasabiAccessKeyId: accessKey(
    "wasabiAccessKeyId",
    "access key of the bucket's user",
    "Access key of the bucket's user; not with kraft:backup.managed. Secret.",
  ),
  wasabiSecretAccessKey: accessKey(
    "wasabiSecretAccessKey",
    "secret key of the bucket's user",
    "Secret key of the bucket's user; not with kraft:backup.managed. Secret.",
  ),
  machineKey: secret(
    "machineKey",
    /^(-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+|[\w-]+)$/,
    "an SSH private key without a passphrase, as ssh-keygen writes it",
  )
    .optional()
    .describe("SSH private key of the user on the nodes; only with kraft:machines. Secret."),
  k3sToken: secret("k3sToken", /^[\w-]{32,}$/, random)
    .optional()
    .describe(
      "The token that nodes join with; only with kraft:machines. Secret; no etcd snapshot can be restored without it.",
    ),
  talosSecrets: secret("talosSecrets", /^(cluster:\s[\s\S]+|[\w-]+)$/, "the complete output of `talosctl gen secrets`")
    .optional()
    .describe(
      "The output of `talosctl gen secrets`; only with kraft:machines on Talos. Secret: it is the cluster's keys.",
    ),
  diskPassphrase: secret("diskPassphrase", /^[\w-]{32,}$/, random)
    .optional()
    .describe(
      "Opens the disks of a machine on Talos whose mainboard is gone; only with kraft:machines on Talos. Secret.",
    ),
  guestTokenSeed: secret(
    "guestTokenSeed",
    /^.{32,}$/,
    "at least 32 random characters, for example of `openssl rand -hex 32`",
  ).describe("What every guest's K3s token is derived from. Secret; a guest cannot be restored without it."),
  alertNtfyToken: secret("alertNtfyToken", /^\S+$/, "an access token of the ntfy server, without spaces or line breaks")
    .optional()
    .describe("Access token of the ntfy server; only with kraft:alerts.ntfy. Secret."),
  alertEmailPassword: secret("alertEmailPassword", /^[^\r\n]+$/, "the password of kraft:alerts.email.user, in one line")
    .optional()
    .describe("Password at the mail server; only with kraft:alerts.email.user. Secret."),
  alertWebhookToken: secret("alertWebhookToken", /^\S+$/, "a token without spaces or line breaks")
    .optional()
    .describe("Sent to kraft:alerts.webhook as a bearer token. Secret."),
  sourceAccessKeyId: accessKey(
    "sourceAccessKeyId",
    "access key of a user who may read the backups in kraft:source",
    "Access key for the backups in kraft:source; only with it. Secret.",
  ),
  sourceSecretAccessKey: accessKey(
    "sourceSecretAccessKey",
    "secret key of that user",
    "Secret key for the backups in kraft:source; only with it. Secret.",
  ),
  sourceTokenSeed: secret(
    "sourceTokenSeed",
    /^.{32,}$/,
    "kraft:guestTokenSeed of the stack that tenants moved here from",
  )
    .optional()
    .describe(
      "kraft:guestTokenSeed of the stack that tenants moved here from: their tokens are still derived from it. Secret.",
    ),
};
