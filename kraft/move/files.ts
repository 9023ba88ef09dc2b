import { Failure, UsageError } from "../../errors/failure.ts";
import type { BackupStore } from "../../infra/catalogue/catalogue.ts";
import { locationOf } from "../../infra/config/model-of.ts";
import { parse } from "../../infra/config/parse.ts";
import { keysOf, type StackFile } from "../../infra/config/stack-file.ts";
import type { Source } from "../../infra/model.ts";
import { directoryOf, stackFileNamed, stackFileOf, stackFilesIn } from "../cli/choice.ts";
import type { CommonOptions } from "../cli/verb.ts";
import { openSecrets } from "../secrets/stack-secrets.ts";

/**
 * The file of the stack that a tenant comes to: the one that is named, or the only one that says where they come from.
 * Throws a UsageError where it is not clear, or where the file says nothing of a move.
 */
export function movingFile(tenant: string, given: CommonOptions): StackFile {
  if (given.stack !== undefined) {
    const file = stackFileOf(given, tenant);
    fromOf(file, tenant);
    return file;
  }
  const files = stackFilesIn(directoryOf(given)).filter(
    (file) => parse(file.raw).config.tenants?.[tenant]?.from !== undefined,
  );
  const [only] = files;
  if (only === undefined || files.length > 1) {
    throw new UsageError(
      only === undefined
        ? `no stack file says that ${tenant} moves anywhere\n  allowed: a tenant with \`from\`, see docs/moving.md`
        : `${tenant} moves to more than one stack: say which\n  allowed: --stack ${files.map((file) => file.stack.name).join(", --stack ")}`,
    );
  }
  return only;
}

/** The file of the stack that the tenant leaves. */
export function sourceFile(target: StackFile, tenant: string): StackFile {
  return stackFileNamed(fromOf(target, tenant), target.directory);
}

function fromOf(file: StackFile, tenant: string): string {
  const from = keysOf(file, ["tenants"]).tenants[tenant]?.from;
  if (from === undefined) {
    throw new UsageError(
      `${file.name} does not say where ${tenant} comes from\n  allowed: \`from: <stack>\` in kraft:tenants.${tenant}, see docs/moving.md`,
    );
  }
  return from;
}

/** Where the backups of the stack are that tenants leave; a Failure where the stack file does not say. */
export function sourceIn(file: StackFile): Source {
  const { source } = keysOf(file, ["source"]);
  if (source === undefined) {
    throw new Failure(
      `${file.name} has no kraft:source, the place of the backups that the tenant moves from; see docs/moving.md`,
    );
  }
  return { ...locationOf(source), stack: source.stack };
}

/** The same backups, with the key that Longhorn reads them with; a Failure where its secrets cannot be opened. */
export async function sourceStore(
  file: StackFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<BackupStore> {
  const { stack: _, ...place } = sourceIn(file);
  const keys = ["sourceAccessKeyId", "sourceSecretAccessKey"] as const;
  const [accessKeyId, secretAccessKey] = await openSecrets(file, environment, keys);
  return { ...place, accessKeyId, secretAccessKey };
}
