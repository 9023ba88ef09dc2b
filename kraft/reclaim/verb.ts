import { UsageError } from "../../errors/failure.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly volume?: string;
  readonly confirm?: readonly string[];
  readonly withoutBackup?: true;
}

/** Milliseconds for the deletion of one volume. */
const limit = 5 * 60_000;

/** `kraft reclaim`: volumes that no claim has any more, and how to be rid of one. */
export const reclaim: Verb<Options> = {
  name: "reclaim",
  summary: "list volumes whose claims are deleted and that still hold disk; delete one of them",
  details:
    "Deletes nothing without --volume and --confirm, which repeats the name and says today's date (UTC). A volume that any\n" +
    "claim names is never deleted, nor one whose last backup is older than the end of its claim. Backups always stay.",
  examples: ["reclaim --stack homelab", "reclaim --volume pvc-0a1b2c3d --confirm pvc-0a1b2c3d 2026-11-25"],
  define(command) {
    command
      .option("--volume <name>", "volume of Longhorn's to delete")
      .option("--confirm <name and date...>", "the same name, and today's date")
      .option("--without-backup", "also if its data is in no backup: it is lost then")
      .option("--stack <stack>", "stack; default: the only one whose file names its cluster");
  },
  async run({ options, output }) {
    const now = new Date();
    const volume = confirmed(options, now);
    const [{ chosenStackFile, directoryOf }, { keysOf }, { hostOf }, work, { releasedText }, { bytesText }] =
      await Promise.all([
        import("../cli/choice.ts"),
        import("../../infra/config/stack-file.ts"),
        import("../cli/host.ts"),
        import("./reclaim.ts"),
        import("./text.ts"),
        import("../cli/bytes.ts"),
      ]);
    const file = chosenStackFile(options.stack, directoryOf(options));
    const { cluster } = keysOf(file, ["cluster"]);
    const host = await output.during(`asking the cluster ${cluster.context}`, hostOf(file, cluster));
    const stack = file.stack.name;
    if (volume === undefined) {
      const volumes = work.released(await work.see(host), now);
      if (options.json === true) {
        output.printJson({ stack, volumes });
      } else {
        output.print(releasedText(volumes, now, output.style));
      }
      return exitCodes.fine;
    }
    const deleted = await output.during(
      `deleting ${volume}`,
      work.reclaim(host, volume, options.withoutBackup === true, { until: Date.now() + limit }),
    );
    if (options.json === true) {
      output.printJson({ stack, deleted });
    } else {
      output.print(`${volume} is deleted, ${bytesText(deleted.usedBytes)} on each copy. Its backups are kept.`);
    }
    return exitCodes.fine;
  },
};

/**
 * The volume that is to be deleted; undefined where nothing is.
 *
 * @throws UsageError unless the confirmation is exactly right
 */
export function confirmed({ volume, confirm, withoutBackup }: Options, now: Date): string | undefined {
  if (volume === undefined) {
    if (confirm !== undefined || withoutBackup !== undefined) {
      throw new UsageError("--confirm and --without-backup say what --volume means\n  allowed: together with --volume");
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
