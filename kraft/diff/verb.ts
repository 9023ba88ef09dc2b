import { messageOf, UsageError } from "../../errors/failure.ts";
import { readFileSync } from "node:fs";
import type { Change } from "./change.ts";
import type { Rendering } from "./rendering.ts";
import type { Output } from "../cli/output.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly base?: string;
  readonly preview?: string;
  readonly drift?: boolean;
  readonly confirmFrom?: string;
  readonly markdown?: boolean;
}

/** Changes, and where they come from. */
interface Found {
  readonly stack: string;
  readonly changes: readonly Change[];
  /** What the changes do not show. */
  readonly notes: readonly string[];
  /** Why there is nothing to compare. */
  readonly refusal?: string;
}

/** `kraft diff`: what a change does to whom. */
export const diff: Verb<Options> = {
  name: "diff",
  summary: "Show what a change does to whom, as text or as a pull request's comment",
  define: (command) => {
    command
      .option("--stack <stack>", "stack to render (default: the first real one that has a file)")
      .option("--base <ref or folder>", "compare this checkout with a commit or another checkout, without a cluster")
      .option("--preview <file>", "read a preview: the output of `pulumi preview --json`; - is standard input")
      .option("--drift", "the preview is that of a refresh: sort what it found by how much it matters")
      .option("--confirm-from <file>", "text of the pull request, which may confirm the loss of data")
      .option("--markdown", "print the comment as GitHub's Markdown");
  },
  details:
    "Exit code 1 also when what holds data is deleted or replaced and the pull request's text does not confirm it with\n" +
    "`Kraft-confirm: <tenant or platform> <YYYY-MM-DD>`, and with --drift when something that keeps tenants apart drifted.",
  examples: [
    "diff --base main",
    "diff --stack homelab --base main --markdown --confirm-from description.txt",
    "diff --preview preview.json",
    "diff --preview refresh.json --drift",
  ],
  run: async ({ options, output }) => {
    if ((options.base === undefined) === (options.preview === undefined)) {
      throw new UsageError("say what to compare\n  allowed: either --base <ref or folder> or --preview <file>");
    }
    if (options.drift === true && options.preview === undefined) {
      throw new UsageError("--drift needs --preview <file>: drift is seen by a cluster only");
    }
    if (options.json === true && options.markdown === true) {
      throw new UsageError("--json and --markdown exclude each other");
    }
    const confirmations = options.confirmFrom === undefined ? "" : read(options.confirmFrom, "--confirm-from");
    const found =
      options.preview === undefined
        ? await fromRendering(options, output)
        : await fromPreview(options.preview, options);
    return options.drift === true ? printDrift(found, options, output) : print(found, confirmations, options, output);
  },
};

async function fromPreview(file: string, options: Options): Promise<Found> {
  const [{ readPreview, NotAPreview }, { changesOf, isRefusal }, { previewNotes }] = await Promise.all([
    import("./preview.ts"),
    import("./preview-changes.ts"),
    import("./wording.ts"),
  ]);
  try {
    const preview = readPreview(read(file, "--preview"));
    // What protection refuses is a change that is shown; any other error leaves the preview without half of its steps.
    const failures = preview.messages.filter((message) => message.severity === "error" && !isRefusal(message));
    const changes = changesOf(preview);
    const [, , stack = "the stack"] = preview.steps[0]?.urn.split(/::?/) ?? [];
    return {
      stack: options.stack ?? stack,
      changes,
      notes: previewNotes(changes),
      ...(failures.length > 0 ? { refusal: failures.map(({ text }) => text).join("\n\n") } : {}),
    };
  } catch (error) {
    throw error instanceof NotAPreview ? new UsageError(`--preview ${file}: ${error.message}`) : error;
  }
}

async function fromRendering(options: Options & { readonly directory?: string }, output: Output): Promise<Found> {
  const [
    { render, withBase },
    { changesBetween },
    { directoryOf, stackNamed },
    { checkout, stacksWithFile },
    { stacks },
  ] = await Promise.all([
    import("./checkouts.ts"),
    import("./rendered-changes.ts"),
    import("../cli/choice.ts"),
    import("../../infra/config/stack-file.ts"),
    import("../../stacks/index.ts"),
  ]);
  const directory = directoryOf(options);
  const standard = stacksWithFile(directory).find((name) => stacks.get(name)?.distribution !== "embedded");
  const stack = stackNamed(options.stack ?? standard ?? "homelab", directory).name;
  const base = options.base ?? "";
  const both = Promise.all([
    withBase(checkout, base, (source) => render(source, stack)),
    render({ program: checkout, files: directory }, stack),
  ]);
  const [old, next] = await output.during(`rendering ${stack} as it was and as it is`, both);
  return {
    stack,
    changes: old.refusal === undefined && next.refusal === undefined ? changesBetween(old.objects, next.objects) : [],
    notes: [
      `Rendered without a cluster and compared with ${base}: what is inside the charts, and what the API server would say, only a preview shows.`,
      ...placeholderNote(next),
    ],
    ...refusalOf(old, next, base),
  };
}

function placeholderNote({ placeholders }: Rendering): string[] {
  return placeholders.length === 0 ? [] : [`Rendered as if these were filled in: ${placeholders.join(", ")}.`];
}

function refusalOf(old: Rendering, next: Rendering, base: string): { readonly refusal?: string } {
  if (next.refusal !== undefined) {
    return { refusal: next.refusal };
  }
  return old.refusal === undefined
    ? {}
    : { refusal: `There is nothing to compare with: ${base} is refused itself.\n\n${old.refusal}` };
}

async function print(
  { stack, changes, notes, refusal }: Found,
  confirmations: string,
  options: Options & { readonly json?: boolean },
  output: Output,
): Promise<number> {
  const [{ verdictOn }, { comment, refusedComment }, { changesText }] = await Promise.all([
    import("./confirmation.ts"),
    import("./comment.ts"),
    import("./text.ts"),
  ]);
  const verdict = verdictOn(changes, confirmations, new Date());
  if (options.json === true) {
    output.printJson({ stack, changes, verdict, notes, ...(refusal === undefined ? {} : { refusal }) });
  } else if (refusal !== undefined) {
    output.print(options.markdown === true ? refusedComment(stack, refusal) : `${stack} is refused.\n\n${refusal}`);
  } else if (options.markdown === true) {
    output.print(comment(changes, { stack, verdict, notes }));
  } else {
    output.print(changesText(changes, { stack, verdict, notes }, output.style));
  }
  return refusal === undefined && verdict.blocked.length === 0 ? exitCodes.fine : exitCodes.wrong;
}

async function printDrift(
  { stack, changes, refusal }: Found,
  options: Options & { readonly json?: boolean },
  output: Output,
): Promise<number> {
  const [{ driftOf }, { driftComment, refusedComment }, { driftText }] = await Promise.all([
    import("./drift.ts"),
    import("./comment.ts"),
    import("./text.ts"),
  ]);
  const drift = driftOf(changes);
  if (options.json === true) {
    output.printJson({ stack, ...drift, ...(refusal === undefined ? {} : { refusal }) });
  } else if (refusal !== undefined) {
    output.print(
      options.markdown === true ? refusedComment(stack, refusal) : `The refresh of ${stack} failed.\n\n${refusal}`,
    );
  } else {
    output.print(options.markdown === true ? driftComment(drift, stack) : driftText(drift, stack, output.style));
  }
  return refusal === undefined && drift.security.length === 0 ? exitCodes.fine : exitCodes.wrong;
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError(`${option} ${file}: cannot be read (${messageOf(error)})`);
  }
}
