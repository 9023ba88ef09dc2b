import { readFileSync } from "node:fs";
import { messageOf, UsageError } from "../../errors/failure.ts";
import { checkout } from "../../infra/config/stack-file.ts";
import { directoryOf, stackFileOf } from "../cli/choice.ts";
import type { Output } from "../cli/output.ts";
import type { CommonOptions, Run } from "../cli/verb.ts";
import type { Change } from "./change.ts";
import { render, withBase } from "./checkouts.ts";
import { comment, driftComment, refusedComment } from "./comment.ts";
import { verdictOn } from "./confirmation.ts";
import { driftOf } from "./drift.ts";
import { NotAPreview, readPreview } from "./preview.ts";
import { changesOf, isOfRefresh, isRefusal, looksAtCluster } from "./preview-changes.ts";
import { changesBetween } from "./rendered-changes.ts";
import { changesText, driftText, previewNotes } from "./text.ts";

interface Given {
  readonly base?: string;
  readonly preview?: string;
  readonly drift?: boolean;
  readonly confirmFrom?: string;
  readonly markdown?: boolean;
}

interface Found {
  readonly stack: string;
  readonly changes: readonly Change[];
  /** Those of them that somebody made in the cluster. */
  readonly byHand: readonly Change[];
  /** What the changes do not show. */
  readonly notes: readonly string[];
  /** Why there is nothing to compare. */
  readonly refusal?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { base, preview, drift, confirmFrom } = given;
  if ((base === undefined) === (preview === undefined)) {
    throw new UsageError("say what to compare\n  allowed: either --base <ref or folder> or --preview <file>");
  }
  if (drift === true && preview === undefined) {
    throw new UsageError("--drift needs --preview <file>: only a cluster shows drift");
  }
  if (given.json === true && given.markdown === true) {
    throw new UsageError("--json and --markdown exclude each other");
  }
  const confirmations = confirmFrom === undefined ? "" : read(confirmFrom, "--confirm-from");
  const found =
    preview === undefined ? await fromRendering(base ?? "", given, output) : fromPreview(preview, given.stack);
  const { stack, changes, notes, refusal } = found;
  const { style } = output;
  const markdown = given.markdown === true;
  const refused = (headline: string, why: string) => (markdown ? refusedComment(stack, why) : [headline, "", why]);
  if (drift === true) {
    const sorted = driftOf(found.byHand);
    const text = markdown ? driftComment(sorted, stack) : driftText(sorted, stack, style);
    return {
      json: { stack, ...sorted, refusal },
      text:
        refusal === undefined
          ? text
          : refused(`The preview of ${stack} failed: no drift can be told from it.`, refusal),
      ok: refusal === undefined && sorted.security.length === 0,
    };
  }
  const verdict = verdictOn(changes, confirmations, new Date());
  const about = { stack, verdict, notes };
  const text = markdown ? comment(changes, about) : changesText(changes, about, style);
  return {
    json: { stack, changes, verdict, notes, refusal },
    text: refusal === undefined ? text : refused(`${stack} is refused.`, refusal),
    ok: refusal === undefined && verdict.blocked.length === 0,
  };
};

function fromPreview(file: string, stack: string | undefined): Found {
  try {
    const preview = readPreview(read(file, "--preview"));
    // What protection refuses is a change that is shown; any other error leaves the preview without half of its steps.
    const failures = preview.messages.filter((message) => message.severity === "error" && !isRefusal(message));
    const changes = changesOf(preview);
    const [, , named = "the stack"] = preview.steps[0]?.urn.split(/::?/) ?? [];
    return {
      stack: stack ?? named,
      changes,
      byHand: isOfRefresh(preview) ? changes : changes.flatMap(onlyByHand),
      notes: previewNotes(changes, looksAtCluster(preview)),
      refusal: failures.length > 0 ? failures.map(({ text }) => text).join("\n\n") : undefined,
    };
  } catch (error) {
    throw error instanceof NotAPreview ? new UsageError(`--preview ${file}: ${error.message}`) : error;
  }
}

async function fromRendering(base: string, given: CommonOptions, output: Output): Promise<Found> {
  const directory = directoryOf(given);
  const stack = stackFileOf(given).stack.name;
  const both = Promise.all([
    withBase(checkout, base, (source) => render(source, stack)),
    render({ program: checkout, files: directory }, stack),
  ]);
  const [old, next] = await output.during(`rendering ${stack} before and after the change`, both);
  const refusedBase =
    old.refusal === undefined
      ? undefined
      : `There is nothing to compare with: ${base} is refused itself.\n\n${old.refusal}`;
  const refusal = next.refusal ?? refusedBase;
  return {
    stack,
    changes: refusal === undefined ? changesBetween(old.objects, next.objects) : [],
    byHand: [],
    notes: [
      `Rendered without a cluster and compared with ${base}: what is inside the charts, and what the API server would say, only a preview shows.`,
      ...(next.placeholders.length === 0
        ? []
        : [`Rendered as if these were filled in: ${next.placeholders.join(", ")}.`]),
    ],
    refusal,
  };
}

/** A change without what the program changes of the same object. */
function onlyByHand(change: Change): Change[] {
  const fields = change.fields.filter(({ byHand }) => byHand === true);
  return change.byHand === undefined ? [] : [{ ...change, fields }];
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError(`${option} ${file}: cannot be read (${messageOf(error)})`);
  }
}
