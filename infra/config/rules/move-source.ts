import { backupTargetUrl } from "../../../components/plan/longhorn-values.ts";
import type { Config } from "../schema.ts";
import { show, type Problem } from "../../../errors/problem.ts";

const keys = ["sourceAccessKeyId", "sourceSecretAccessKey"] as const;

/**
 * Whether what a stack file says of tenants that move here fits together: another stack's name, its backups and the key to
 * them, and the seed of its guests' tokens, without which no guest opens its own datastore.
 *
 * @param stack The stack that tenants move to.
 * @param stacks Every stack there is.
 * @param known Problems that are said already: of a key that is malformed not also that it is missing.
 */
export function sourceProblems(
  stack: string,
  stacks: readonly string[],
  config: Partial<Config>,
  known: readonly Problem[],
): Problem[] {
  const { source, tenants = {} } = config;
  const others = stacks.filter((name) => name !== stack);
  const moving = Object.entries(tenants).flatMap(([name, { from }]) => (from === undefined ? [] : [{ name, from }]));
  const unknownStack = (key: string, found: string): Problem[] =>
    others.includes(found)
      ? []
      : [
          {
            key,
            found: found === stack ? `${show(found)}, which is this stack` : show(found),
            allowed: others.join(", "),
            fix: "name the stack that the tenant runs on",
          },
        ];
  const missing = (name: keyof Config, allowed: string, fix: string): Problem[] =>
    config[name] !== undefined || known.some(({ key }) => key === `kraft:${name}`)
      ? []
      : [{ key: `kraft:${name}`, found: "nothing", allowed, fix }];
  /** @param user What the secret is for: where that is malformed, it is not idle. */
  const idle = (name: keyof Config, where: string, user: RegExp): Problem[] =>
    config[name] === undefined || known.some(({ key }) => user.test(key))
      ? []
      : [
          {
            key: `kraft:${name}`,
            found: "a secret that nothing uses",
            allowed: `only with ${where}`,
            fix: `pulumi config rm kraft:${name}`,
          },
        ];
  const [first] = moving;
  return [
    ...moving.flatMap(({ name, from }) => unknownStack(`kraft:tenants.${name}.from`, from)),
    ...(source === undefined
      ? keys.flatMap((name) => idle(name, "kraft:source", /^kraft:source\b/))
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
            missing(
              name,
              `the ${name === "sourceAccessKeyId" ? "access" : "secret"} key of a user who may read ${backupTargetUrl(source)}`,
              `pulumi config set --secret kraft:${name}, see docs/moving.md`,
            ),
          ),
          ...samePrefix(source, config.backup),
        ]),
    ...(first === undefined
      ? idle("sourceTokenSeed", "a tenant that has `from`", /^kraft:tenants\b/)
      : missing(
          "sourceTokenSeed",
          `kraft:guestTokenSeed of ${first.from}: without it the guest of ${first.name} could not open its own data`,
          `pulumi config get -s ${first.from} kraft:guestTokenSeed | pulumi config set -s ${stack} --secret kraft:sourceTokenSeed`,
        )),
  ];
}

/** Two clusters that write to one folder delete each other's backups. */
function samePrefix(source: NonNullable<Config["source"]>, backup: Config["backup"] | undefined): Problem[] {
  return source.bucket === backup?.bucket && source.prefix === backup.prefix
    ? [
        {
          key: "kraft:source.prefix",
          found: `${show(source.prefix)}, where this stack's own backups go`,
          allowed: "the folder of the other stack: two clusters must never share one",
          fix: `copy bucket, region and prefix from kraft:backup in Pulumi.${source.stack}.yaml`,
        },
      ]
    : [];
}
