import type { Verb } from "../cli/verb.ts";

/** `kraft reclaim`: volumes whose claims are deleted, and deleting one of them. */
export const reclaim: Verb = {
  name: "reclaim",
  summary: "list volumes without a claim, and delete them one by one",
  options: [
    ["--volume <name>", "Longhorn volume to delete"],
    ["--confirm <name and date...>", "the same name, and today's date"],
    ["--without-backup", "delete it even if no backup has its data, which is then lost"],
  ],
  details: [
    "Such volumes still take disk space. Deletes nothing without --volume and --confirm, which repeats the name and gives today's date (UTC). A volume that any claim names is never deleted, nor one whose last backup is older than the deletion of its claim. Backups always stay.",
  ],
  examples: ["reclaim -s homelab", "reclaim --volume pvc-0a1b2c3d --confirm pvc-0a1b2c3d 2026-11-25"],
  load: () => import("./run.ts"),
};
