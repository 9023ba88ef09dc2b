import { UsageError } from "../../errors/failure.ts";
import { bytesText } from "../cli/bytes.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { reclaim, released, see } from "./reclaim.ts";
import { releasedText } from "./text.ts";

interface Given {
  readonly volume?: string;
  readonly confirm?: readonly string[];
  readonly withoutBackup?: true;
}

/** Milliseconds for the deletion of one volume. */
const limit = 5 * 60_000;

export const run: Run<Given> = async (given, output) => {
  const now = new Date();
  const volume = confirmed(given, now);
  const file = stackFileOf(given);
  const host = await reach(file, output);
  const stack = file.stack.name;
  if (volume === undefined) {
    const volumes = released(await see(host), now);
    return { json: { stack, volumes }, text: releasedText(volumes, now, output.style) };
  }
  const deleted = await output.during(
    `deleting ${volume}`,
    reclaim(host, volume, given.withoutBackup === true, { until: Date.now() + limit }),
  );
  return {
    json: { stack, deleted },
    text: [`${volume} is deleted, ${bytesText(deleted.usedBytes)} on each copy. Its backups are kept.`],
  };
};

/**
 * The volume to delete; undefined where none is named.
 *
 * @throws UsageError unless the confirmation is exactly right
 */
export function confirmed({ volume, confirm, withoutBackup }: Given, now: Date): string | undefined {
  if (volume === undefined) {
    if (confirm !== undefined || withoutBackup !== undefined) {
      throw new UsageError("--confirm and --without-backup belong to --volume\n  allowed: together with --volume");
    }
    return undefined;
  }
  const today = now.toISOString().slice(0, 10);
  if (confirm?.length !== 2 || confirm[0] !== volume || confirm[1] !== today) {
    throw new UsageError(
      `${volume} would be deleted for good, and is not confirmed\n  allowed: --volume ${volume} --confirm ${volume} ${today}`,
    );
  }
  return volume;
}
