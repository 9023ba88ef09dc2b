import { ConfigError, refuse, show } from "../../errors/problem.ts";
import type { Stack } from "../../stacks/index.ts";
import { loadProblems } from "../checks/findings.ts";
import type { Model } from "../model.ts";
import { describedStack } from "./described-stack.ts";
import { loadOf, modelOf } from "./model-of.ts";
import { parse, type RawConfig } from "./parse.ts";
import { ruleProblems } from "./rules/rules.ts";
import type { Config } from "./schema.ts";

/**
 * The model of one stack: parse, then rules, then model. The checks of `findings` say whether the hardware can carry
 * it; for a file that is refused anyway, they run here on its valid part, so that the ConfigError names every problem
 * there is.
 */
export function validate(name: string, stacks: ReadonlyMap<string, Stack>, raw: RawConfig): Model {
  const known = stacks.get(name);
  if (known === undefined) {
    throw unknownStack(name, stacks);
  }
  const stack = describedStack(known, raw);
  const parsed = parse(raw);
  const problems = [...parsed.problems, ...ruleProblems(stack, [...stacks.keys()], parsed)];
  if (problems.length > 0) {
    const load = loadOf(stack, parsed.config);
    const replicas = Math.min(load.replicas, stack.nodes.length);
    refuse(name, [...problems, ...loadProblems({ ...load, replicas })]);
  }
  return modelOf(stack, parsed.config as Config);
}

function unknownStack(name: string, stacks: ReadonlyMap<string, Stack>): ConfigError {
  return new ConfigError(`Stack ${name}`, [
    {
      key: "stack",
      found: show(name),
      allowed: [...stacks.keys()].join(", "),
      fix: "choose one with `pulumi stack select`, or describe new hardware in stacks/",
    },
  ]);
}
