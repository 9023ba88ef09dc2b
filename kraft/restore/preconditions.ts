import type { Host } from "../../cluster/client.ts";
import { defaultTarget } from "../../cluster/longhorn.ts";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { Failure } from "../../errors/failure.ts";

/**
 * Makes sure that Longhorn reads the same backups as Kraft did.
 *
 * @param name Longhorn's name of the backup target.
 * @param url Where the backups are that Kraft read.
 * @param remedy What to do where Longhorn knows another target, or none.
 * @throws Failure where it does not.
 */
export async function requireBackupTarget(host: Host, name: string, url: string, remedy: string): Promise<void> {
  const live = await host.get(paths.backupTargets.named(name));
  const known = live?.spec?.backupTargetURL ?? "";
  if (known !== url) {
    throw new Failure(
      `Longhorn's backup target ${name === defaultTarget ? "" : `${name} `}is ${known === "" ? "not set yet" : known}, and the backups that were read are in ${url}\n` +
        `  ${remedy}`,
    );
  }
  if (live?.status?.available !== true) {
    const why = condition(live?.status, "Unavailable")?.message ?? "";
    throw new Failure(
      `Longhorn cannot reach its backup target ${url}${why === "" ? "" : `: ${why}`}\n` +
        "  It tries again every five minutes; see npx kraft status.",
    );
  }
}

/**
 * Parameters of every storage class that volumes need, by its name.
 *
 * @param remedy What to do where one is missing.
 * @throws Failure where one is.
 */
export async function storageClasses(
  host: Host,
  volumes: readonly { readonly storageClass: string }[],
  remedy: string,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const names = [...new Set(volumes.map(({ storageClass }) => storageClass))];
  const found = await Promise.all(names.map((name) => host.get(paths.storageClasses.named(name))));
  const missing = names.filter((_, index) => found[index] === undefined);
  if (missing.length > 0) {
    throw new Failure(`the cluster has no storage class ${missing.join(", ")}\n  ${remedy}`);
  }
  return new Map(names.map((name, index) => [name, found[index]?.parameters ?? {}]));
}
