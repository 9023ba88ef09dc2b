import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { marker } from "../../../../kraft/diff/comment.ts";
import { folderWith, kraft, kraftInTerminal } from "../../../fixtures/kraft/command.ts";
import { urn } from "./samples.ts";

const cluster = { apiVersion: "k3k.io/v1beta1", kind: "Cluster", metadata: { name: "acme", namespace: "k3k-acme" } };
const quota = (pods: string) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "kraft-objects", namespace: "k3k-acme" },
  spec: { hard: { pods } },
});
const steps = {
  update: {
    op: "update",
    urn: urn("tenant-acme-quota", "kubernetes:core/v1:ResourceQuota"),
    oldState: { custom: true, inputs: quota("30") },
    newState: { custom: true, inputs: quota("60") },
  },
  delete: {
    op: "delete",
    urn: urn("tenant-acme-cluster", "kubernetes:k3k.io/v1beta1:Cluster"),
    oldState: { custom: true, inputs: cluster },
  },
};

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "kraft-test-"));
});

after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const update = () => file("update.json", { steps: [steps.update] });
const remove = () => file("remove.json", { steps: [steps.delete] });

describe("a preview", () => {
  test("that takes nothing: text, exit code 0", async () => {
    assert.deepEqual(await kraft(["diff", "--preview", update()]), {
      code: 0,
      stdout: `Affects acme on local: 1 changed. Nothing is deleted or replaced.

acme
  changed  ResourceQuota k3k-acme/kraft-objects
      - spec.hard.pods: 30
      + spec.hard.pods: 60

From a preview that did not look at the cluster: what was changed by hand is not in it.
`,
      stderr: "",
    });
  });

  test("that takes data: exit code 1 and the line that would confirm it; with the line, 0", async () => {
    const stopped = await kraft(["diff", "--preview", remove()]);
    const line = /^ {2}(Kraft-confirm: acme \d{4}-\d{2}-\d{2})$/m.exec(stopped.stdout)?.[1];
    assert.equal(stopped.code, 1);
    assert.ok(line !== undefined, stopped.stdout);
    const confirmed = await kraft([
      "diff",
      "--preview",
      remove(),
      "--confirm-from",
      file("text.md", `Away.\n\n${line}\n`),
    ]);
    assert.equal(confirmed.code, 0, confirmed.stdout);
    assert.match(confirmed.stdout, /^Confirmed for acme\.$/m);
  });

  test("--markdown is the comment", async () => {
    const { code, stdout } = await kraft(["diff", "--preview", update(), "--markdown"]);
    assert.equal(code, 0);
    assert.ok(stdout.startsWith("**Affects acme on local:") && stdout.endsWith(`${marker}\n`), stdout);
  });

  test("--json is for programs", async () => {
    const { code, stdout } = await kraft(["diff", "--preview", remove(), "--json"]);
    const found = JSON.parse(stdout) as { stack: string; changes: { loss: string }[]; verdict: { blocked: unknown[] } };
    assert.deepEqual(Object.keys(found), ["stack", "changes", "verdict", "notes"]);
    assert.equal(found.stack, "local");
    assert.equal(found.verdict.blocked.length, 1);
    assert.equal(code, 1);
  });

  test("that failed for another reason than protection is refused, whatever it lists", async () => {
    const message = "kraft:domain is wrong";
    const failed = file("failed.json", { steps: [steps.update], diagnostics: [{ severity: "error", message }] });
    const { code, stdout } = await kraft(["diff", "--preview", failed, "--markdown"]);
    assert.equal(code, 1);
    assert.ok(stdout.includes("is refused") && stdout.includes(message), stdout);
  });

  test("on a terminal there is colour", () => {
    const { code, output } = kraftInTerminal(["diff", "--preview", remove()]);
    assert.equal(code, 1);
    assert.ok(output.includes("\u001b[31mdeleted\u001b[39m"), output);
  });
});

describe("drift", () => {
  test("of a wall: exit code 1", async () => {
    const { code, stdout } = await kraft(["diff", "--preview", update(), "--drift"]);
    assert.equal(code, 1);
    assert.match(stdout, /^Drift on local\. Look at this today\. Changes by kind: tenant isolation or data: 1,/);
    const markdown = await kraft(["diff", "--preview", update(), "--drift", "--markdown"]);
    assert.match(markdown.stdout, /## Tenant isolation or data/);
  });

  test("none: exit code 0", async () => {
    const none = file("none.json", { steps: [{ ...steps.update, op: "refresh" }], changeSummary: {} });
    const { code, stdout } = await kraft(["diff", "--preview", none, "--drift"]);
    assert.equal(stdout, "No drift on local: the cluster matches what the program declared.\n");
    assert.equal(code, 0);
  });
});

test("two renderings: what a stack file changes, without a cluster", () =>
  folderWith({}, (base) =>
    folderWith({ "kraft:tenants": { acme: { domains: ["acme.example"], size: "medium" } } }, async (head) => {
      const { code, stdout } = await kraft(["diff", "--base", base, "--directory", head, "--json"]);
      const { changes } = JSON.parse(stdout) as { changes: { owner: string; operation: string; kind: string }[] };
      assert.deepEqual(
        changes.map(({ owner, operation, kind }) => `${operation} ${owner} ${kind}`),
        ["update acme ResourceQuota", "update acme Secret", "update acme VirtualClusterPolicy"],
      );
      assert.equal(code, 0);
    }),
  ));

test("a stack file that is refused: exit code 1 and why", () =>
  folderWith({}, (base) =>
    folderWith({ "kraft:domain": "Not a domain" }, async (head) => {
      const { code, stdout } = await kraft(["diff", "--base", base, "--directory", head, "--markdown"]);
      assert.equal(code, 1);
      assert.ok(stdout.includes("homelab is refused") && stdout.includes("kraft:domain"), stdout);
    }),
  ));

describe("a command line that is wrong: exit code 2, and nothing on standard output", () => {
  const wrong: readonly (readonly [what: string, given: readonly string[], message: RegExp])[] = [
    ["nothing to compare", [], /either --base <ref or folder> or --preview <file>/],
    ["two things at once", ["--base", "HEAD", "--preview", "x"], /either --base/],
    ["drift without a cluster", ["--base", "HEAD", "--drift"], /--drift needs --preview/],
    ["two forms", ["--preview", "x", "--json", "--markdown"], /exclude each other/],
    ["a file that is not there", ["--preview", "no-such-file"], /--preview no-such-file: cannot be read/],
    ["a commit that is not there", ["--base", "no-such-commit", "-s", "homelab"], /git knows no such commit/],
    ["no stack of that name", ["--base", "HEAD", "--stack", "other"], /there is no stack "other"/],
  ];
  for (const [what, given, message] of wrong) {
    test(what, async () => {
      const { code, stdout, stderr } = await kraft(["diff", ...given]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
    });
  }

  test("a file that is no preview", async () => {
    const { code, stderr } = await kraft(["diff", "--preview", file("text.json", "{}")]);
    assert.equal(code, 2);
    assert.match(stderr, /not a preview by Pulumi/);
  });
});
