import { listIf, type Problem } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";

/** @param known Problems of single keys: an invalid secret is not reported as missing too. */
export function missingSecret(
  name: keyof Config,
  config: Partial<Config>,
  known: readonly Problem[],
  allowed: string,
  fix = `pulumi config set --secret kraft:${name}`,
): Problem[] {
  const key = `kraft:${name}`;
  const isMissing = config[name] === undefined && !known.some((problem) => problem.key === key);
  return listIf(isMissing, { key, found: "nothing", allowed, fix });
}

export function unusedSecret(name: keyof Config, config: Partial<Config>, allowed: string): Problem[] {
  const key = `kraft:${name}`;
  const fix = `pulumi config rm ${key}`;
  return listIf(config[name] !== undefined, { key, found: "a secret that nothing uses", allowed, fix });
}

const bucketKeys = ["wasabiAccessKeyId", "wasabiSecretAccessKey"] as const;
const adminKeys = ["wasabiAdminAccessKeyId", "wasabiAdminSecretAccessKey"] as const;

/** The keys that open the backups: where Kraft makes the bucket, those of the administrator. */
export function backupKeyNames(managed: boolean): typeof bucketKeys | typeof adminKeys {
  return managed ? adminKeys : bucketKeys;
}

/**
 * Which pair of keys is needed depends on who makes the bucket: the operator, who made a key for its user, or Kraft,
 * which needs an administrator's. The other pair would be a secret kept for nothing.
 */
export function backupKeyProblems(config: Partial<Config>, known: readonly Problem[]): Problem[] {
  const { backup } = config;
  if (backup === undefined) {
    return [];
  }
  const { managed, endpoint } = backup;
  const needed = backupKeyNames(managed);
  const allowed = `${needed.map((key) => `kraft:${key}`).join(" and ")}, since kraft:backup.managed is ${managed}`;
  return [
    ...needed.flatMap((name) =>
      missingSecret(
        name,
        config,
        known,
        managed
          ? "the key of an administrator at Wasabi, who makes the bucket: kraft:backup.managed is true"
          : `the ${name === "wasabiAccessKeyId" ? "access" : "secret"} key of the bucket's user, without spaces or line breaks`,
      ),
    ),
    ...backupKeyNames(!managed).flatMap((name) => unusedSecret(name, config, allowed)),
    // Another S3 server does not have Wasabi's IAM.
    ...listIf(managed && endpoint !== undefined, {
      key: "kraft:backup.managed",
      found: `true, with kraft:backup.endpoint ${endpoint}`,
      allowed: "true at Wasabi only: users and keys are made at Wasabi's IAM",
      fix: "remove kraft:backup.endpoint, or make bucket, user and key there yourself and remove managed",
    }),
  ];
}
