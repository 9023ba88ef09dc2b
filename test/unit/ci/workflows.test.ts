import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { marker } from "../../../kraft/diff/comment.ts";
import { terminalReporter } from "../../../local/terminal.ts";
import { readyTools, toolPath } from "../../../local/toolchain/ready.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "runs-on": string | readonly string[];
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = resolve(import.meta.dirname, "../../..");
const folder = join(root, ".github", "workflows");
const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));

/** GitHub's own actions. Any other one would run somebody else's code with our tokens. */
const allowedActions = [
  "cache",
  "checkout",
  "download-artifact",
  "github-script",
  "setup-go",
  "setup-node",
  "upload-artifact",
];

/** What a job may do besides reading. */
const granted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "comment.yml comment": { actions: "read", "pull-requests": "write" },
};

test("there are workflows", () => {
  assert.deepEqual(files.sort(), ["change.yml", "ci.yml", "comment.yml", "drift.yml", "drill.yml", "preview.yml"]);
});

test("every part of the tests runs, and every shard of it", () => {
  const { jobs } = parse(readFileSync(join(folder, "ci.yml"), "utf8")) as Workflow;
  const parts = Object.values(jobs).flatMap(({ steps, strategy }) =>
    steps.flatMap(({ run = "", env }) => {
      const [, line] = /^npm test -- (.*)$/.exec(run) ?? [];
      if (line !== "$PART") {
        return line === undefined ? [] : line.split(" ");
      }
      assert.equal(env?.["PART"], "${{ matrix.part }}");
      return strategy?.matrix["part"] ?? [];
    }),
  );
  const shards = parts.filter((part) => part.startsWith("cluster"));
  assert.deepEqual(
    shards,
    shards.map((_, index) => `cluster --shard ${index + 1}/${shards.length}`),
  );
  assert.ok(shards.length > 0);
  assert.deepEqual(parts.filter((part) => !shards.includes(part)).sort(), ["check", "live", "machines", "unit"]);
});

test("actionlint finds nothing", async () => {
  // The result must not depend on other linters of the machine.
  const flags = ["-no-color", "-shellcheck=", "-pyflakes="];
  const actionlint = toolPath(await readyTools(terminalReporter(), ["workflows"]), "actionlint");
  const { status, stdout, stderr } = spawnSync(actionlint, flags, { cwd: root, encoding: "utf8" });
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(status, 0);
});

for (const file of files) {
  const text = readFileSync(join(folder, file), "utf8");
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  describe(file, () => {
    test("every action is GitHub's own, and pinned by a commit with its version beside it", () => {
      const uses = text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
      assert.equal(uses.length, steps.filter((step) => step.uses !== undefined).length);
      for (const line of uses) {
        const [, action] = /uses: actions\/([a-z-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.exec(line) ?? [];
        assert.ok(action !== undefined && allowedActions.includes(action), line);
      }
    });

    test("jobs have only the permissions that they need", () => {
      assert.deepEqual(workflow.permissions, {});
      for (const [name, { permissions }] of jobs) {
        assert.deepEqual(permissions, granted[`${file} ${name}`] ?? { contents: "read" }, name);
      }
    });

    test("nothing runs a stranger's code with our rights", () => {
      assert.ok(!("pull_request_target" in workflow.on) && !("issue_comment" in workflow.on));
      if ("workflow_run" in workflow.on) {
        assert.ok(!steps.some(({ uses }) => uses?.startsWith("actions/checkout")), "it must not check anything out");
        assert.ok(!steps.some(({ run }) => run !== undefined), "it must not run anything");
      }
    });

    test("no checkout leaves its token behind", () => {
      for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout"))) {
        assert.equal(step.with?.["persist-credentials"], false);
      }
    });

    test("no script contains a value of GitHub's: in the environment it is only text", () => {
      for (const script of steps.flatMap(({ run, with: inputs }) => [run, inputs?.["script"]])) {
        assert.doesNotMatch(String(script), /\$\{\{/);
      }
    });

    test("every job has a time limit, and runs do not overlap", () => {
      assert.ok(workflow.concurrency);
      for (const [name, job] of jobs) {
        assert.ok((job["timeout-minutes"] ?? Infinity) <= 60, name);
      }
    });

    test("only jobs with an environment use secrets and the runner at home, and never for a fork", () => {
      for (const [name, job] of jobs) {
        const atHome = job["runs-on"] !== "ubuntu-24.04";
        const usesSecrets = JSON.stringify(job).includes("secrets.");
        assert.equal(atHome || usesSecrets, job.environment !== undefined, name);
        if (atHome && "pull_request" in workflow.on) {
          assert.equal(job.if, "github.event.pull_request.head.repo.full_name == github.repository");
        }
      }
      assert.doesNotMatch(text, /secrets:\s*inherit|toJSON\(secrets/i);
    });

    test("no secret is in the environment of a whole job", () => {
      for (const [name, job] of jobs) {
        const { steps: _steps, ...rest } = job;
        assert.doesNotMatch(JSON.stringify(rest), /secrets\./, name);
      }
    });
  });
}

test("comment.yml finds comments by the marker that they end with", () => {
  assert.ok(readFileSync(join(folder, "comment.yml"), "utf8").includes(JSON.stringify(marker)));
});
