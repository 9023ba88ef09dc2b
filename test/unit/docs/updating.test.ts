import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const page = readFileSync(join(import.meta.dirname, "../../../docs/updating.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "kraft-updating-"));

after(() => {
  rmSync(folder, { recursive: true });
});

/** The first block of shell commands after a heading. */
function commandsAfter(heading: string, containing: string): string {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`));
  const blocks = [...section.matchAll(/^ *```sh\n([^`]*)^ *```/gm)].map(([, text = ""]) => text);
  return blocks.find((text) => text.includes(containing)) ?? assert.fail(`no commands with ${containing}`);
}

/** Runs commands as a person with no settings of git would. */
function shell(directory: string, commands: string): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-ec", commands], {
    cwd: directory,
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b.c", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b.c" },
    },
  });
  assert.equal(status, 0, `${commands}\n${stdout}${stderr}`);
  return stdout;
}

/** Writes files and commits them. */
function commit(repository: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, name)), { recursive: true });
    writeFileSync(join(repository, name), text);
  }
  shell(repository, "git add --all && git commit --quiet --message change");
}

test("updating while the stack file is your own: the commands of docs/updating.md keep it, and bring everything else", () => {
  const upstream = join(folder, "upstream");
  const versions = (version: string) => `export const kubernetesVersion = "${version}";\n`;
  const example = (bucket: string) => `config:\n  kraft:domain: homelab.invalid\n  kraft:bucket: ${bucket}\n`;
  mkdirSync(upstream);
  shell(upstream, "git init --quiet --initial-branch=main");
  commit(upstream, {
    "Pulumi.homelab.yaml": example("one"),
    "stacks/homelab.ts": versions("1.35.6"),
    "CHANGELOG.md": "1\n",
  });
  shell(folder, "git init --quiet --bare --initial-branch=main private.git");

  const once = commandsAfter("Once", "merge=ours")
    .replace("<upstream>", upstream)
    .replace("<your private repository>", join(folder, "private.git"));
  shell(folder, once);
  const own = join(folder, "kraft");
  const mine = "encryptionsalt: v1:abc\nconfig:\n  kraft:domain: meier.example\n  kraft:bucket: mine\n";
  commit(own, { "Pulumi.homelab.yaml": mine });

  commit(upstream, {
    "Pulumi.homelab.yaml": example("two"),
    "stacks/homelab.ts": versions("1.36.1"),
    "CHANGELOG.md": "2\n",
  });
  const eachTime = commandsAfter("Each time", "git merge").replace(/^ *npm ci$/m, "");
  shell(own, eachTime.replace("git merge ", "git merge --no-edit "));

  assert.equal(readFileSync(join(own, "Pulumi.homelab.yaml"), "utf8"), mine);
  assert.equal(readFileSync(join(own, "stacks/homelab.ts"), "utf8"), versions("1.36.1"));
  assert.equal(readFileSync(join(own, "CHANGELOG.md"), "utf8"), "2\n");
  assert.equal(shell(own, "git status --porcelain"), "");
  // What upstream's example has now, as the page shows it.
  const changed = shell(
    own,
    /git diff HEAD\^1 upstream\/main -- Pulumi\.homelab\.yaml/.exec(page)?.[0] ?? assert.fail(),
  );
  assert.match(changed, /\+ {2}kraft:bucket: two/);
});
