import type { Verb } from "../cli/verb.ts";

/** `kraft diff`: what a change does to whom. */
export const diff: Verb = {
  name: "diff",
  summary: "show which tenants a change affects, and how",
  options: [
    ["--base <ref or folder>", "compare this checkout with a commit or another checkout, without a cluster"],
    ["--preview <file>", "read a preview: the output of `pulumi preview --json`; - is standard input"],
    ["--drift", "the preview is that of a refresh: sort what it found by how much it matters"],
    ["--confirm-from <file>", "text of the pull request, which may confirm the loss of data"],
    ["--markdown", "print the comment as GitHub's Markdown"],
  ],
  details: [
    "Prints text, or the comment of a pull request. Exits with 1 also when something that holds data is deleted or replaced and the pull request's text does not confirm it with `Kraft-confirm: <tenant or platform> <YYYY-MM-DD>`; with --drift, when something that keeps tenants apart has drifted.",
  ],
  examples: [
    "diff --base main",
    "diff -s homelab --base main --markdown --confirm-from text.txt",
    "diff --preview preview.json",
    "diff --preview refresh.json --drift",
  ],
  load: () => import("./run.ts"),
};
