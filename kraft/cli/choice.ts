import { resolve } from "node:path";
import { UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { parse } from "../../infra/config/parse.ts";
import { checkout, readStackFile, type StackFile, stacksWithFile, tenantsOf } from "../../infra/config/stack-file.ts";
import { type Stack, stacks } from "../../stacks/index.ts";
import type { CommonOptions } from "./verb.ts";

const known = [...stacks.keys()];

/** The folder with the stack files that the command line names. */
export function directoryOf({ directory }: CommonOptions): string {
  return directory === undefined ? checkout : resolve(directory);
}

/**
 * The stack file that the command line names, or the default one.
 *
 * @throws UsageError if it is not clear which one is meant.
 */
export function stackFileOf(given: CommonOptions): StackFile {
  return chosenStackFile(given.stack, directoryOf(given));
}

/**
 * The stack file that the command line names, or the default one, with this tenant in it.
 *
 * @throws UsageError naming the tenants that are in it.
 */
export function stackFileWith(tenant: string, given: CommonOptions): StackFile {
  const file = stackFileOf(given);
  knownTenant(tenant, file);
  return file;
}

/**
 * The stack of that name.
 *
 * @throws UsageError if there is none, or none with a file.
 */
export function stackNamed(name: string, directory: string): Stack {
  const stack = stacks.get(name);
  const withFile = stacksWithFile(directory);
  if (stack === undefined) {
    throw new UsageError(`there is no stack ${show(name)}\n  allowed: ${known.join(", ")}`);
  }
  if (!withFile.includes(name)) {
    throw new UsageError(
      `there is no Pulumi.${name}.yaml in ${directory}\n  allowed: ${withFile.join(", ") || "none: name the folder with --directory"}`,
    );
  }
  return stack;
}

/**
 * Every stack that has a file.
 *
 * @throws UsageError if there is none.
 */
export function stacksToCheck(directory: string): Stack[] {
  const names = stacksWithFile(directory);
  if (names.length === 0) {
    throw new UsageError(
      `there is no stack file in ${directory}\n  allowed: a folder with ${known.map((name) => `Pulumi.${name}.yaml`).join(", ")}`,
    );
  }
  return names.map((name) => stackNamed(name, directory));
}

/**
 * The file of the stack that the command line names; without a name, of the only stack whose file names its cluster.
 *
 * @throws UsageError if it is not clear which one is meant.
 */
export function chosenStackFile(name: string | undefined, directory: string): StackFile {
  if (name !== undefined) {
    return readStackFile(stackNamed(name, directory), directory);
  }
  const files = stacksWithFile(directory).map((candidate) =>
    readStackFile(stackNamed(candidate, directory), directory),
  );
  // The embedded cluster is never meant by saying nothing, unless there is nothing else.
  const real = files.filter(({ stack }) => stack.distribution !== "embedded");
  const complete = (real.length === 0 ? files : real).filter(({ raw }) => parse(raw).config.cluster !== undefined);
  const [only] = complete;
  if (only === undefined || complete.length > 1) {
    const why = only === undefined ? "no stack file names its cluster yet" : "more than one stack has a cluster";
    throw new UsageError(
      `${why}: name the stack with --stack\n  allowed: ${files.map(({ stack }) => stack.name).join(", ") || "none: name the folder with --directory"}`,
    );
  }
  return only;
}

/**
 * Makes sure that a tenant stands in a stack file.
 *
 * @throws UsageError naming those that do.
 */
export function knownTenant(name: string, file: StackFile): string {
  const tenants = tenantsOf(file);
  if (!tenants.includes(name)) {
    throw new UsageError(`${file.name} has no tenant ${show(name)}\n  allowed: ${tenants.join(", ") || "none yet"}`);
  }
  return name;
}
