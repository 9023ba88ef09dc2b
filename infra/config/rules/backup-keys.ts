import type { Config } from "../schema.ts";
import type { Problem } from "../../../errors/problem.ts";

const bucketKeys = ["wasabiAccessKeyId", "wasabiSecretAccessKey"] as const;
const adminKeys = ["wasabiAdminAccessKeyId", "wasabiAdminSecretAccessKey"] as const;

/** The secrets without which nothing is declared. */
export function requiredSecrets(managed: boolean): readonly (keyof Config)[] {
  return [...(managed ? adminKeys : bucketKeys), "guestTokenSeed"];
}

/**
 * Which of the two pairs of keys is needed follows from who makes the bucket: the operator, who made a key for its user,
 * or Kraft, which needs an administrator's. The other pair would be a secret that lies about for nothing.
 *
 * @param known Problems that are said already: of a key that is malformed not also that it is missing.
 */
export function backupKeyProblems(config: Partial<Config>, known: readonly Problem[]): Problem[] {
  if (config.backup === undefined) {
    return [];
  }
  const managed = config.backup.managed ?? false;
  const [needed, idle] = managed ? [adminKeys, bucketKeys] : [bucketKeys, adminKeys];
  const missing = needed
    .filter((name) => config[name] === undefined && !known.some(({ key }) => key === `kraft:${name}`))
    .map((name) => ({
      key: `kraft:${name}`,
      found: "nothing",
      allowed: managed
        ? "the key of an administrator at Wasabi, who makes the bucket: kraft:backup.managed is true"
        : `the ${name === "wasabiAccessKeyId" ? "access" : "secret"} key of the bucket's user, without spaces or line breaks`,
      fix: `pulumi config set --secret kraft:${name}`,
    }));
  const unused = idle
    .filter((name) => config[name] !== undefined)
    .map((name) => ({
      key: `kraft:${name}`,
      found: "a key that nothing uses",
      allowed: `${needed.map((key) => `kraft:${key}`).join(" and ")}, since kraft:backup.managed is ${managed}`,
      fix: `pulumi config rm kraft:${name}`,
    }));
  return [...missing, ...unused, ...endpointProblems(config.backup)];
}

/** Another S3 server has no IAM at Wasabi, where the user and the key would be made. */
function endpointProblems({ managed, endpoint }: Config["backup"]): Problem[] {
  return managed === true && endpoint !== undefined
    ? [
        {
          key: "kraft:backup.managed",
          found: `true, with kraft:backup.endpoint ${endpoint}`,
          allowed: "true at Wasabi only: users and keys are made at Wasabi's IAM",
          fix: "remove kraft:backup.endpoint, or make bucket, user and key there yourself and remove managed",
        },
      ]
    : [];
}
