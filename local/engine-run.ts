import type * as automation from "@pulumi/pulumi/automation/index.js";
import { Failure, messageOf } from "../errors/failure.ts";
import { record } from "../infra/config/pulumi-files.ts";
import { fieldsChangedByHand } from "../infra/drift/changed-fields.ts";
import { handChangeIn } from "../infra/drift/drift-message.ts";
import type { FieldChange, Fields } from "../infra/drift/fields.ts";
import { ownerOf } from "../infra/drift/owner.ts";
import type { Reporter } from "./terminal.ts";

export interface EngineRun {
  /** Number of resources by what happens to them: `create`, `update`, `replace`, `delete`, `same`, … */
  readonly changes: Readonly<Record<string, number>>;
  /** What happens to each resource that does not stay the same. */
  readonly steps: readonly { readonly operation: string; readonly urn: string }[];
  /** How many objects were read from the cluster before anything else; 0 for a run that only compares with the record. */
  readonly looked: number;
  /** What somebody had changed in the cluster, and `up` puts back. */
  readonly byHand: readonly ByHand[];
  /** Warnings and errors that the program and the providers reported, each once, without those that settled. */
  readonly messages: readonly { readonly severity: string; readonly text: string }[];
  readonly seconds: number;
}

/** One object that was changed by hand. */
export interface ByHand {
  /** A tenant's name, or `platform`. */
  readonly owner: string;
  /** Kind and name. */
  readonly object: string;
  /** `deleted`, or a property with its live and its declared value. */
  readonly what: string;
}

/** The last part of a URN: the resource's name. */
function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

function titleOf({ kind, namespace, name }: { kind: string; namespace?: string | undefined; name: string }): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** How many characters of a value a line shows. */
const valueLimit = 60;

function fieldText({ path, old: live, new: declared }: FieldChange): string {
  const [is, wanted] = [live, declared].map((value) => {
    const text = value === undefined ? "nothing" : JSON.stringify(value);
    return text.length > valueLimit ? `${text.slice(0, valueLimit - 1)}…` : text;
  });
  return `${path} is ${is}, declared is ${wanted}`;
}

/** What Kubernetes says while Pulumi waits for it, and then settles by itself. */
const passingWarnings = [
  // A Deployment whose pods have not started yet.
  /\[MinimumReplicasUnavailable\]/,
  // The API server's own check of service addresses saw a Service before the address that it had just allocated.
  /ClusterIPNotAllocated: .* is not allocated; repairing$/,
  // A chart's pods came before their service account; the controller tries again.
  /FailedCreate: Error creating: pods .* is forbidden: error looking up service account /,
];

/** Follows an operation's events: shows where it is, and keeps what it did. */
export class Follower {
  readonly #reporter: Reporter;
  readonly #verb: string;
  readonly #onEvent: ((event: automation.EngineEvent) => void) | undefined;
  readonly #started = Date.now();
  readonly #steps: { operation: string; urn: string }[] = [];
  /** By their text: each is kept once. */
  readonly #messages = new Map<string, { severity: string; text: string }>();
  /** By URN, what was recorded of an object that is gone or differs, and what the cluster has. */
  readonly #looks = new Map<string, { recorded: Fields; live: Fields | undefined; paths: readonly string[] }>();
  readonly #byHand: ByHand[] = [];
  #looked = 0;
  #seen = 0;
  #finished = 0;
  #changes: Record<string, number> = {};

  constructor(reporter: Reporter, verb: string, onEvent: ((event: automation.EngineEvent) => void) | undefined) {
    this.#reporter = reporter;
    this.#verb = verb;
    this.#onEvent = onEvent;
  }

  #follow(event: automation.EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, diagnosticEvent, summaryEvent } = event;
    if (resourcePreEvent !== undefined) {
      const { op, urn } = resourcePreEvent.metadata;
      this.#seen += 1;
      if (op !== "same" && op !== "read" && op !== "refresh") {
        this.#steps.push({ operation: op, urn });
        this.#compare(resourcePreEvent.metadata);
      }
      this.#show(urn);
    } else if (resOutputsEvent !== undefined) {
      this.#finished += 1;
      this.#look(resOutputsEvent.metadata);
      this.#show(resOutputsEvent.metadata.urn);
    } else if (diagnosticEvent !== undefined && ["warning", "error"].includes(diagnosticEvent.severity)) {
      const { urn = "", message, severity } = diagnosticEvent;
      // Colours come as tags such as <{%reset%}>.
      const text = `${urn === "" ? "" : `${nameOf(urn)}: `}${message.replace(/<\{%.*?%\}>/g, "").trim()}`;
      const told = handChangeIn(text);
      if (told === undefined) {
        this.#messages.set(text, { severity, text });
      } else {
        this.#byHand.push({
          owner: told.owner,
          object: titleOf(told),
          what: fieldText({ path: told.path, old: told.live, new: told.declared }),
        });
      }
    } else if (summaryEvent !== undefined) {
      this.#changes = { ...summaryEvent.resourceChanges };
    }
  }

  /** Keeps what the look at the cluster found of an object. */
  #look({ op, old, new: live, type, detailedDiff }: automation.StepEventMetadata): void {
    if (op === "refresh" && old !== undefined && type.startsWith("kubernetes:") && old.custom) {
      this.#looked += 1;
      this.#looks.set(old.urn, {
        recorded: old.inputs,
        live: live?.inputs,
        paths: Object.keys(detailedDiff ?? {}),
      });
    }
  }

  /** Keeps what of an object that is about to change was changed by hand. */
  #compare({ op, urn, new: next }: automation.StepEventMetadata): void {
    const { recorded, live, paths = [] } = this.#looks.get(urn) ?? {};
    // What is deleted has no new state: the engine says null, which the SDK's types do not know.
    if (recorded === undefined || next === undefined || op.startsWith("delete")) {
      return;
    }
    const isOfTenant = urn.includes("kraft:index:Tenant$");
    const declared: Fields = next.inputs;
    const { namespace, name = nameOf(urn) } = record(declared["metadata"]) as { namespace?: string; name?: string };
    const kind = typeof declared["kind"] === "string" ? declared["kind"] : "";
    const about = { owner: ownerOf(nameOf(urn), isOfTenant, declared), object: titleOf({ kind, namespace, name }) };
    if (live === undefined) {
      this.#byHand.push(...(op === "create" ? [{ ...about, what: "deleted" }] : []));
      return;
    }
    const fields = fieldsChangedByHand(recorded, live, declared);
    // Of a secret the engine says only that it differs.
    const hidden = fields.length > 0 ? [] : paths.map((path) => `${path} is another`);
    this.#byHand.push(...[...fields.map(fieldText), ...hidden].map((what) => ({ ...about, what })));
  }

  #show(urn: string): void {
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    this.#reporter.progress(
      `${this.#verb}: ${this.#finished} of ${this.#seen} resources, ${seconds} s, now ${nameOf(urn)}`,
    );
  }

  /** Runs an operation. Where it fails, its errors are shown in full, or else what the CLI said. */
  async run(operation: (onEvent: (event: automation.EngineEvent) => void) => Promise<unknown>): Promise<EngineRun> {
    try {
      await operation((event) => {
        this.#onEvent?.(event);
        this.#follow(event);
      });
    } catch (error) {
      const errors = [...this.#messages.values()].filter(({ severity }) => severity === "error");
      const details = errors.length > 0 ? errors.map(({ text }) => text).join("\n\n") : messageOf(error);
      throw new Failure(`pulumi ${this.#verb} failed:\n\n${details}`);
    } finally {
      this.#reporter.done();
    }
    return {
      changes: this.#changes,
      steps: this.#steps,
      looked: this.#looked,
      byHand: this.#byHand,
      messages: [...this.#messages.values()].filter(
        ({ severity, text }) => severity !== "warning" || !passingWarnings.some((warning) => warning.test(text)),
      ),
      seconds: (Date.now() - this.#started) / 1000,
    };
  }
}
