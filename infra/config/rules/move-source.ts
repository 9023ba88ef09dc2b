import { backupTargetUrl } from "../../../components/plan/longhorn-values.ts";
import { closest } from "../../../errors/closest.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";
import { missingSecret, unusedSecret } from "./secrets.ts";

const keys = ["sourceAccessKeyId", "sourceSecretAccessKey"] as const;

/**
 * The keys of tenants that move here belong together: the name of the stack they come from, its backups and the key to
 * them, and the seed of its guests' tokens, without which no guest can open its own datastore.
 */
export function moveSourceProblems(
  stack: string,
  stacks: readonly string[],
  config: Partial<Config>,
  known: readonly Problem[],
): Problem[] {
  const { source, tenants = {} } = config;
  const others = stacks.filter((name) => name !== stack);
  const moving = Object.entries(tenants).flatMap(([name, { from }]) => (from === undefined ? [] : [{ name, from }]));
  /** The other stack that a name most likely stands for. */
  const meantBy = (name: string): string | undefined => (name === stack ? undefined : closest(name, others));
  const unknownStack = (key: string, found: string): Problem[] => {
    const meant = meantBy(found);
    return listIf(!others.includes(found), {
      key,
      found: found === stack ? `${show(found)}, which is this stack` : show(found),
      allowed: others.join(", "),
      fix: meant === undefined ? "name the stack that the tenant runs on" : `write ${meant}`,
    });
  };
  /** @param user The key that the secret is for: where that is invalid, the secret may be needed. */
  const unused = (name: keyof Config, where: string, user: RegExp): Problem[] =>
    known.some(({ key }) => user.test(key)) ? [] : unusedSecret(name, config, `only with ${where}`);
  const [first] = moving;
  const origin = first && (meantBy(first.from) ?? first.from);
  return [
    ...moving.flatMap(({ name, from }) => unknownStack(`kraft:tenants.${name}.from`, from)),
    ...(source === undefined
      ? keys.flatMap((name) => unused(name, "kraft:source", /^kraft:source\b/))
      : [
          ...unknownStack("kraft:source.stack", source.stack),
          ...moving
            .filter(({ from }) => from !== source.stack && others.includes(from))
            .map(({ name, from }) => ({
              key: `kraft:tenants.${name}.from`,
              found: show(from),
              allowed: `${show(source.stack)}, the only stack that tenants move here from: kraft:source.stack`,
              fix: "correct the one or the other; one stack after another can be a source",
            })),
          ...keys.flatMap((name) =>
            missingSecret(
              name,
              config,
              known,
              `the ${name === "sourceAccessKeyId" ? "access" : "secret"} key of a user who may read ${backupTargetUrl(source)}`,
              `pulumi config set --secret kraft:${name}, see docs/moving.md`,
            ),
          ),
          // Two clusters that write to one folder delete each other's backups.
          ...listIf(source.bucket === config.backup?.bucket && source.prefix === config.backup.prefix, {
            key: "kraft:source.prefix",
            found: `${show(source.prefix)}, where this stack's own backups go`,
            allowed: "the folder of the other stack: two clusters must never share one",
            fix: `copy bucket, region and prefix from kraft:backup in Pulumi.${source.stack}.yaml`,
          }),
        ]),
    ...(first === undefined || origin === undefined
      ? unused("sourceTokenSeed", "a tenant that has `from`", /^kraft:tenants\b/)
      : missingSecret(
          "sourceTokenSeed",
          config,
          known,
          `kraft:guestTokenSeed of ${origin}: without it the guest of ${first.name} could not open its own data`,
          `pulumi config get -s ${origin} kraft:guestTokenSeed | pulumi config set -s ${stack} --secret kraft:sourceTokenSeed`,
        )),
  ];
}
