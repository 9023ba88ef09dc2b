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
