import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";

/** What one run of the engine did. */
export interface Run {
  /** Resources by what happened to them. */
  readonly changes: Readonly<Record<string, number>>;
  /** Errors and warnings, whole. */
  readonly said: string;
  readonly failed: boolean;
  /** What the nodes' scripts said on the way. */
  readonly progress: string;
  /** Everything that Pulumi printed and every event but debug messages, as text. */
  readonly everything: string;
}

/** Declares resources, or resolves when it has. */
export type Program = () => unknown;

export interface LabEngine {
  /** @param signal Interrupts the run, as Ctrl-C does. */
  up(program: Program, signal?: AbortSignal): Promise<Run>;
  preview(program: Program): Promise<Run>;
  /** The state as it lies on the disk. */
  state(): string;
}

/**
 * The real engine with the command provider and nothing else.
 *
 * @param tools Paths; `kubernetes` is the provider of that name, where a program has its resources too.
 */
export async function labEngine(
  folder: string,
  tools: { pulumi: string; provider: string; kubernetes?: { path: string; version: string } },
): Promise<LabEngine> {
  const workDir = join(folder, "pulumi");
  const state = join(workDir, "state");
  mkdirSync(state, { recursive: true });
  mkdirSync(join(workDir, "cli", "bin"), { recursive: true });
  symlinkSync(tools.pulumi, join(workDir, "cli", "bin", "pulumi"));
  const providers = [{ name: "command", path: dirname(tools.provider), version: "1.2.1" }];
  if (tools.kubernetes !== undefined) {
    const { path, version } = tools.kubernetes;
    providers.push({ name: "kubernetes", path: dirname(path), version });
  }
  writeFileSync(join(workDir, "Pulumi.yaml"), stringify({ name: "kraft", runtime: "nodejs", plugins: { providers } }));
  const pulumiCommand = await automation.PulumiCommand.get({ root: join(workDir, "cli") });

  const run = async (verb: "up" | "preview", program: Program, signal?: AbortSignal): Promise<Run> => {
    const said: string[] = [];
    const stack = await automation.LocalWorkspace.createOrSelectStack(
      {
        stackName: "laboratory",
        projectName: "kraft",
        program: async () => {
          try {
            await program();
          } catch (error) {
            // The Automation API takes a lost connection to the engine for a program that has ended well.
            said.push(`the program itself: ${String(error)}`);
            throw error;
          }
          return {};
        },
      },
      {
        workDir,
        pulumiHome: join(workDir, "home"),
        pulumiCommand,
        envVars: {
          PULUMI_BACKEND_URL: `file://${state}`,
          PULUMI_CONFIG_PASSPHRASE: "laboratory",
          PULUMI_SKIP_UPDATE_CHECK: "true",
          // As docs/machines-homelab.md says: a dead agent would fail every connection.
          SSH_AUTH_SOCK: "",
        },
      },
    );
    const events: string[] = [];
    const progress: string[] = [];
    let changes: Record<string, number> = {};
    const onEvent = (event: automation.EngineEvent): void => {
      // Debug messages hold the SDK's calls with their secrets; Pulumi shows them to nobody who did not ask with --debug.
      if ((event.diagnosticEvent?.severity as string | undefined) !== "debug") {
        events.push(JSON.stringify(event));
      }
      const { diagnosticEvent, summaryEvent } = event;
      if (diagnosticEvent !== undefined && ["error", "warning"].includes(diagnosticEvent.severity)) {
        said.push(`${diagnosticEvent.urn ?? ""} ${diagnosticEvent.message}`);
      }
      if (diagnosticEvent?.severity === "info") {
        progress.push(diagnosticEvent.message);
      }
      changes = { ...changes, ...summaryEvent?.resourceChanges };
    };
    const onOutput = (text: string): void => {
      events.push(text);
    };
    let failed = false;
    try {
      const interruption = signal === undefined ? {} : { signal };
      await (verb === "up"
        ? stack.up({ onEvent, onOutput, ...interruption })
        : stack.preview({ onEvent, onOutput, diff: true }));
    } catch (error) {
      failed = true;
      events.push(String(error));
    }
    return { changes, failed, said: said.join("\n"), progress: progress.join("\n"), everything: events.join("\n") };
  };
  return {
    up: (program, signal) => run("up", program, signal),
    preview: (program) => run("preview", program),
    state: () =>
      readdirSync(state, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .join("\n"),
  };
}
