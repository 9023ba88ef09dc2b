import { canonical } from "./fields.ts";

/** The state of a resource before or after a step, as far as a diff looks at it. */
export interface State {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** False for components, which are no objects of their own. */
  readonly custom?: boolean;
  readonly protect?: boolean;
  /** True where the object stays in the cluster when it leaves the program. */
  readonly retainOnDelete?: boolean;
}

/** One step of a preview. */
export interface Step {
  readonly operation: string;
  readonly urn: string;
  readonly old?: State;
  readonly new?: State;
  /** What the provider says differs: kinds such as `update` or `delete-replace` by property path. */
  readonly detailedDiff: Readonly<Record<string, string>>;
  /** Properties that force a replacement. */
  readonly replaceKeys: readonly string[];
}

/** Something that the engine said. */
export interface Message {
  readonly severity: string;
  readonly text: string;
}

/** What Pulumi says would happen. */
export interface Preview {
  readonly steps: readonly Step[];
  readonly messages: readonly Message[];
}

type Fields = Readonly<Record<string, unknown>>;

/** An input that is no preview. The message is meant for the operator. */
export class NotAPreview extends Error {
  constructor(found: string) {
    super(
      `No preview of Pulumi's: ${found}. Expected what \`pulumi preview --json\` or \`pulumi refresh --preview-only --json\` ` +
        "writes to standard output, or the engine's events as a JSON array or one a line.",
    );
  }
}

/**
 * Reads a preview in any of the forms that Pulumi has: the document of `--json`, its streaming form with one event a
 * line, and the events that the Automation API hands over.
 *
 * @throws NotAPreview
 */
export function readPreview(text: string): Preview {
  const documents = parsed(text);
  const [first] = documents;
  if (documents.length === 1 && isRecord(first) && isDigest(first)) {
    return ofDigest(first);
  }
  if (documents.length === 0) {
    throw new NotAPreview("it is empty");
  }
  return previewOf(documents.length === 1 && Array.isArray(first) ? (first as unknown[]) : documents);
}

/** The preview that the engine's events tell of. */
export function previewOf(events: readonly unknown[]): Preview {
  const steps = new Map<string, Step>();
  const messages = new Map<string, Message>();
  let known = false;
  for (const event of events) {
    if (!isRecord(event)) {
      throw new NotAPreview(`an event is ${JSON.stringify(event).slice(0, 60)}`);
    }
    const before = metadataOf(event["resourcePreEvent"]);
    const after = metadataOf(event["resOutputsEvent"]);
    const failed = metadataOf(event["resOpFailedEvent"]);
    const diagnostic = event["diagnosticEvent"];
    known ||= before !== undefined || isRecord(diagnostic) || "summaryEvent" in event || "preludeEvent" in event;
    if (before !== undefined) {
      const step = stepOf(before);
      steps.set(`${step.operation} ${step.urn}`, step);
    } else if (after !== undefined) {
      // A refresh is announced as such, and only its outcome says what it found.
      const step = stepOf(after);
      if (steps.delete(`refresh ${step.urn}`) || (step.operation !== "same" && steps.has(keyOf(step)))) {
        steps.set(keyOf(step), step);
      }
    } else if (failed !== undefined) {
      const step = stepOf(failed);
      steps.set(keyOf(step), step);
    } else if (isRecord(diagnostic)) {
      const message = messageOf(diagnostic);
      messages.set(message.text, message);
    }
  }
  if (!known) {
    throw new NotAPreview("no event of the engine is in it");
  }
  return { steps: [...steps.values()], messages: [...messages.values()] };
}

function keyOf({ operation, urn }: Step): string {
  return `${operation} ${urn}`;
}

function isDigest(document: Fields): boolean {
  return "steps" in document || "changeSummary" in document || "diagnostics" in document;
}

function ofDigest(document: Fields): Preview {
  const steps = listOf(document["steps"]).filter(isRecord).map(stepOf);
  const messages = listOf(document["diagnostics"]).filter(isRecord).map(messageOf);
  return { steps, messages };
}

/** A step as the `--json` document spells it (`oldState`), or as an event does (`old`). */
function stepOf(step: Fields): Step {
  const old = stateOf(step["oldState"] ?? step["old"]);
  const next = stateOf(step["newState"] ?? step["new"]);
  const detailed = Object.entries(isRecord(step["detailedDiff"]) ? step["detailedDiff"] : {});
  return {
    operation: text(step["op"]),
    urn: text(step["urn"]),
    ...(old === undefined ? {} : { old }),
    ...(next === undefined ? {} : { new: next }),
    detailedDiff: Object.fromEntries(
      detailed.map(([path, diff]) => [canonical(path), isRecord(diff) ? text(diff["kind"] ?? diff["diffKind"]) : ""]),
    ),
    replaceKeys: listOf(step["replaceReasons"] ?? step["keys"]).map((path) => canonical(text(path))),
  };
}

function stateOf(state: unknown): State | undefined {
  if (!isRecord(state)) {
    return undefined;
  }
  return {
    inputs: isRecord(state["inputs"]) ? state["inputs"] : {},
    outputs: isRecord(state["outputs"]) ? state["outputs"] : {},
    ...(typeof state["custom"] === "boolean" ? { custom: state["custom"] } : {}),
    protect: state["protect"] === true,
    retainOnDelete: state["retainOnDelete"] === true,
  };
}

function messageOf(diagnostic: Fields): Message {
  // Colours come as tags such as <{%reset%}>.
  const message = text(diagnostic["message"]).replace(/<\{%.*?%\}>/g, "");
  return { severity: text(diagnostic["severity"]), text: message.trim() };
}

function metadataOf(event: unknown): Fields | undefined {
  return isRecord(event) && isRecord(event["metadata"]) ? event["metadata"] : undefined;
}

function parsed(input: string): unknown[] {
  try {
    return [JSON.parse(input)];
  } catch {
    // One event a line.
    return input
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line, index) => {
        try {
          return JSON.parse(line) as unknown;
        } catch {
          throw new NotAPreview(`line ${index + 1} is no JSON: ${line.slice(0, 60)}`);
        }
      });
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
