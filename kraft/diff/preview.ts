import { record } from "../../infra/config/pulumi-files.ts";
import { canonicalPath, type Fields, isFields } from "../../infra/drift/fields.ts";

/** The state of a resource before or after a step. */
export interface ResourceState {
  readonly inputs: Fields;
  readonly outputs: Fields;
  /** False for components, which are not objects of the cluster. */
  readonly custom?: boolean;
  /** True where the object stays in the cluster when it is no longer declared. */
  readonly retainOnDelete?: boolean;
}

export interface PreviewStep {
  readonly operation: string;
  readonly urn: string;
  readonly old?: ResourceState;
  readonly new?: ResourceState;
  /** What differs according to the provider: kinds such as `update` or `delete-replace` by property path. */
  readonly detailedDiff: Readonly<Record<string, string>>;
  /** Properties that force a replacement. */
  readonly replaceKeys: readonly string[];
}

export interface Preview {
  readonly steps: readonly PreviewStep[];
  /** What the engine says. */
  readonly messages: readonly { readonly severity: string; readonly text: string }[];
}

/** An input that is not a preview. The message is meant for the operator. */
export class NotAPreview extends Error {
  constructor(found: string) {
    super(
      `This is not a preview by Pulumi: ${found}. Expected the output of \`pulumi preview --json\` or ` +
        "`pulumi refresh --preview-only --json`, or the engine's events as a JSON array or one per line.",
    );
  }
}

/**
 * Reads a preview in any of Pulumi's formats: the document of `--json`, its streaming variant with one event per line,
 * and the events that the Automation API hands over. Throws NotAPreview for anything else.
 */
export function readPreview(text: string): Preview {
  const documents = parsed(text);
  const [first] = documents;
  if (documents.length === 0) {
    throw new NotAPreview("it is empty");
  }
  const isDocument = isFields(first) && ["steps", "changeSummary", "diagnostics"].some((key) => key in first);
  if (documents.length === 1 && isDocument) {
    return { steps: objectsIn(first["steps"]).map(stepOf), messages: objectsIn(first["diagnostics"]).map(messageOf) };
  }
  return previewOf(documents.length === 1 && Array.isArray(first) ? (first as unknown[]) : documents);
}

/** The preview that the engine's events describe. */
export function previewOf(events: readonly unknown[]): Preview {
  const steps = new Map<string, PreviewStep>();
  const messages = new Map<string, Preview["messages"][number]>();
  const keyOf = ({ operation, urn }: PreviewStep): string => `${operation} ${urn}`;
  let isPreview = false;
  for (const event of events) {
    if (!isFields(event)) {
      throw new NotAPreview(`an event is ${JSON.stringify(event).slice(0, 60)}`);
    }
    isPreview ||= ["resourcePreEvent", "diagnosticEvent", "summaryEvent", "preludeEvent"].some((name) => name in event);
    const announced = stepIn(event["resourcePreEvent"]) ?? stepIn(event["resOpFailedEvent"]);
    const outcome = stepIn(event["resOutputsEvent"]);
    if (announced !== undefined) {
      steps.set(keyOf(announced), announced);
    } else if (outcome !== undefined) {
      // A refresh by itself is announced as `refresh`; only its outcome says what it found. In a preview that begins with one,
      // both are called so, and the step that follows is announced by itself.
      if (steps.has(keyOf(outcome)) ? outcome.operation !== "same" : steps.delete(`refresh ${outcome.urn}`)) {
        steps.set(keyOf(outcome), outcome);
      }
    } else if (isFields(event["diagnosticEvent"])) {
      const message = messageOf(event["diagnosticEvent"]);
      messages.set(message.text, message);
    }
  }
  if (!isPreview) {
    throw new NotAPreview("no event of the engine is in it");
  }
  return { steps: [...steps.values()], messages: [...messages.values()] };
}

function stepIn(event: unknown): PreviewStep | undefined {
  const metadata = record(event)["metadata"];
  return isFields(metadata) ? stepOf(metadata) : undefined;
}

/** A step as the `--json` document spells it (`oldState`), or as an event does (`old`). */
function stepOf(step: Fields): PreviewStep {
  const replaceKeys = step["replaceReasons"] ?? step["keys"];
  return {
    operation: textOf(step["op"]),
    urn: textOf(step["urn"]),
    old: stateOf(step["oldState"] ?? step["old"]),
    new: stateOf(step["newState"] ?? step["new"]),
    detailedDiff: Object.fromEntries(
      Object.entries(record(step["detailedDiff"])).map(([path, diff]) => {
        const { kind, diffKind } = record(diff);
        return [canonicalPath(path), textOf(kind ?? diffKind)];
      }),
    ),
    replaceKeys: Array.isArray(replaceKeys) ? replaceKeys.map((path) => canonicalPath(textOf(path))) : [],
  };
}

function stateOf(state: unknown): ResourceState | undefined {
  if (!isFields(state)) {
    return undefined;
  }
  const { inputs, outputs, custom, retainOnDelete } = state;
  return {
    inputs: record(inputs),
    outputs: record(outputs),
    custom: custom !== false,
    retainOnDelete: retainOnDelete === true,
  };
}

function messageOf({ severity, message }: Fields) {
  // Colours come as tags such as <{%reset%}>.
  return {
    severity: textOf(severity),
    text: textOf(message)
      .replace(/<\{%.*?%\}>/g, "")
      .trim(),
  };
}

function parsed(input: string): unknown[] {
  try {
    return [JSON.parse(input)];
  } catch {
    // One event per line.
    const lines = input.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, index) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        throw new NotAPreview(`line ${index + 1} is not JSON: ${line.slice(0, 60)}`);
      }
    });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function objectsIn(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
