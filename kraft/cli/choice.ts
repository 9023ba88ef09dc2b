import { resolve } from "node:path";
import { UsageError } from "../../errors/failure.ts";
import { show } from "../../errors/problem.ts";
import { parse } from "../../infra/config/parse.ts";
import { checkout, readStackFile, type StackFile, stacksWithFile, tenantsOf } from "../../infra/config/stack-file.ts";
import { type Stack, stacks } from "../../stacks/index.ts";
import type { CommonOptions } from "./verb.ts";

/** The folder with the stack files that the command line names. */
export function directoryOf({ directory }: CommonOptions): string {
  return directory === undefined ? checkout : resolve(directory);
}

/** The stack of that name; a UsageError if there is none, or none with a file. */
export function stackNamed(name: string, directory: string): Stack {
  const stack = stacks.get(name);
  const withFile = stacksWithFile(directory);
  if (stack === undefined) {
    throw new UsageError(`there is no stack ${show(name)}\n  allowed: ${[...stacks.keys()].join(", ")}`);
  }
  if (!withFile.includes(name)) {
    throw new UsageError(
      `there is no Pulumi.${name}.yaml in ${directory}\n  allowed: ${withFile.join(", ") || "none: name the folder with --directory"}`,
    );
  }
  return stack;
}

/** The file of the stack of that name, see `stackNamed`. */
export function stackFileNamed(name: string, directory: string): StackFile {
  return readStackFile(stackNamed(name, directory), directory);
}

/** Every stack file in a folder. */
export function stackFilesIn(directory: string): StackFile[] {
  return stacksWithFile(directory).map((name) => stackFileNamed(name, directory));
}

/**
 * The stack file that the command line names; without a name, the only one that names its cluster. Throws a UsageError if it is
 * not clear which one is meant, or `tenant` is not in it.
 */
export function stackFileOf(given: CommonOptions, tenant?: string): StackFile {
  const directory = directoryOf(given);
  const file = given.stack === undefined ? defaultStackFile(directory) : stackFileNamed(given.stack, directory);
  const tenants = tenant === undefined ? [] : tenantsOf(file);
  if (tenant !== undefined && !tenants.includes(tenant)) {
    throw new UsageError(`${file.name} has no tenant ${show(tenant)}\n  allowed: ${tenants.join(", ") || "none yet"}`);
  }
  return file;
}

function defaultStackFile(directory: string): StackFile {
  const files = stackFilesIn(directory);
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
