import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { parse } from "yaml";
import { commentLimit, marker } from "../../../kraft/diff/comment.ts";

/** The script of comment.yml, run as actions/github-script does: the body of an async function. */
const workflow = parse(readFileSync(new URL("../../../.github/workflows/comment.yml", import.meta.url), "utf8")) as {
  readonly jobs: { readonly comment: { readonly steps: readonly { readonly with: { readonly script?: string } }[] } };
};
const script = workflow.jobs.comment.steps.map((step) => step.with.script).find((text) => text !== undefined) ?? "";
const AsyncFunction = (async () => Promise.resolve()).constructor as new (
  ...code: string[]
) => (...values: unknown[]) => Promise<void>;
const body = new AsyncFunction("github", "context", "core", "require", script);

interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  readonly body: string;
}

let temporary: string;
let before: string | undefined;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "kraft-test-"));
  mkdirSync(join(temporary, "change"));
  before = process.env["RUNNER_TEMP"];
  process.env["RUNNER_TEMP"] = temporary;
});

afterEach(() => {
  rmSync(temporary, { recursive: true });
  if (before === undefined) {
    delete process.env["RUNNER_TEMP"];
  } else {
    process.env["RUNNER_TEMP"] = before;
  }
});

/** What the script asks GitHub to write, for an artifact. */
async function post(options: {
  readonly artifact: string;
  readonly comments?: readonly Comment[];
  readonly headSha?: string;
  readonly fork?: boolean;
}): Promise<{ readonly calls: readonly (readonly [string, Record<string, unknown>])[]; readonly failed: string }> {
  writeFileSync(join(temporary, "change", "comment.md"), options.artifact);
  return run(options);
}

async function run({
  comments = [],
  headSha = "abc",
  fork = false,
}: {
  readonly comments?: readonly Comment[];
  readonly headSha?: string;
  readonly fork?: boolean;
}): Promise<{ readonly calls: (readonly [string, Record<string, unknown>])[]; readonly failed: string }> {
  const calls: [string, Record<string, unknown>][] = [];
  let failed = "";
  const call = (name: string) => (args: Record<string, unknown>) => {
    calls.push([name, args]);
    return Promise.resolve();
  };
  const lists = { pulls: "pulls", comments: "comments" };
  const github = {
    paginate: (list: string) =>
      Promise.resolve(
        list === lists.pulls
          ? [
              { number: 1, head: { sha: "other" } },
              { number: 7, head: { sha: "abc" } },
            ]
          : comments,
      ),
    rest: {
      pulls: { list: lists.pulls },
      issues: { listComments: lists.comments, createComment: call("create"), updateComment: call("update") },
    },
  };
  const context = {
    repo: { owner: "owner", repo: "kraft" },
    payload: {
      workflow_run: {
        head_sha: headSha,
        head_branch: "change",
        head_repository: {
          full_name: fork ? "stranger/kraft" : "owner/kraft",
          owner: { login: fork ? "stranger" : "owner" },
        },
        repository: { full_name: "owner/kraft" },
      },
    },
  };
  const core = { info: () => undefined, setFailed: (text: string) => (failed = text) };
  await body(github, context, core, createRequire(import.meta.url));
  return { calls, failed };
}

const bot = { login: "github-actions[bot]" };

test("the first comment is made, at the pull request of the commit", async () => {
  const { calls } = await post({ artifact: `**Touches acme**\n\n${marker}\n` });
  assert.deepEqual(calls, [
    ["create", { owner: "owner", repo: "kraft", issue_number: 7, body: `**Touches acme**\n\n${marker}\n` }],
  ]);
});

test("the next one takes its place; another person's comment with the marker does not", async () => {
  const comments = [
    { id: 1, user: { login: "stranger" }, body: marker },
    { id: 2, user: bot, body: `old\n\n${marker}\n` },
  ];
  const { calls } = await post({ artifact: `new\n\n${marker}\n`, comments });
  assert.deepEqual(calls, [["update", { owner: "owner", repo: "kraft", comment_id: 2, body: `new\n\n${marker}\n` }]]);
});

test("the same comment is not written again", async () => {
  const comments = [{ id: 2, user: bot, body: `same\n\n${marker}\n` }];
  assert.deepEqual((await post({ artifact: `same\n\n${marker}\n`, comments })).calls, []);
});

test("a commit that is no pull request's any more gets none", async () => {
  assert.deepEqual((await post({ artifact: "text", headSha: "gone" })).calls, []);
});

test("a fork's comment says that it is one, mentions nobody, and is no longer than GitHub takes", async () => {
  const artifact = `@everyone ${"x".repeat(commentLimit - 10)}`;
  const { calls } = await post({ artifact, fork: true });
  const text = String(calls[0]?.[1]["body"]);
  assert.match(text, /^_Made by the code of a fork/);
  assert.ok(!text.includes("@everyone") && text.length <= commentLimit && text.endsWith(`${marker}\n`));
});

test("an artifact that is too large or no file is refused", async () => {
  const large = await post({ artifact: "x".repeat(commentLimit + 1) });
  assert.deepEqual(large, { calls: [], failed: "The artifact is not a comment." });
  rmSync(join(temporary, "change", "comment.md"));
  symlinkSync("/etc/hostname", join(temporary, "change", "comment.md"));
  assert.deepEqual((await run({})).calls, []);
});
