import type { Problem } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";

/** @param known Problems of single keys: an invalid secret is not reported as missing too. */
export function missingSecret(
  name: keyof Config,
  config: Partial<Config>,
  known: readonly Problem[],
  allowed: string,
  fix = `pulumi config set --secret kraft:${name}`,
): Problem[] {
  return config[name] !== undefined || known.some(({ key }) => key === `kraft:${name}`)
    ? []
    : [{ key: `kraft:${name}`, found: "nothing", allowed, fix }];
}

export function unusedSecret(name: keyof Config, config: Partial<Config>, allowed: string): Problem[] {
  return config[name] === undefined
    ? []
    : [
        {
          key: `kraft:${name}`,
          found: "a secret that nothing uses",
          allowed,
          fix: `pulumi config rm kraft:${name}`,
        },
      ];
}
