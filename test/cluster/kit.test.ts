import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import type { KitLine } from "../../kraft/kit/check.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools, toolPath } from "../../local/toolchain/ready.ts";
import { daily, datastoreVolume, writeBackups } from "../fixtures/backup-store.ts";
import { type Ended, folderWith, kraft } from "../fixtures/kraft/command.ts";
import { clear, encrypted, passphrase } from "../fixtures/kraft/encrypted.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";

const folder = mkdtempSync(join(tmpdir(), "kraft-kit-"));
const directory = join(folder, "checkout");
const kit = join(folder, "stick", "kraft");
let server: S3Server;
/** An operator's: their passphrase, and Pulumi with its state in a folder. */
let environment: Readonly<Record<string, string>>;

before(async () => {
  const tools = await readyTools(terminalReporter(), ["storage", "engine"]);
  const keys = { accessKeyId: clear.wasabiAccessKeyId, secretAccessKey: clear.wasabiSecretAccessKey };
  const bucket = { region: "eu-central-2", bucket: "kraft-backup" };
  const s3 = join(folder, "s3");
  mkdirSync(s3);
  server = await startS3({ ...keys, ...bucket, directory: s3, tools });
  const place = { ...bucket, prefix: "homelab", endpoint: server.endpoint };
  const small = { size: 64 * 1024 ** 2 };
  await writeBackups(tools, { ...keys, ...place }, [datastoreVolume("acme", daily(1, new Date()), small)]);
  mkdirSync(directory);
  await folderWith(
    { ...encrypted.config, "kraft:backup": place },
    (made) => {
      for (const name of ["Pulumi.yaml", "Pulumi.homelab.yaml"]) {
        copyFileSync(join(made, name), join(directory, name));
      }
    },
    encrypted.encryptionsalt,
  );
  const state = join(folder, "state");
  mkdirSync(state);
  const pulumi = toolPath(tools, "pulumi");
  environment = {
    PATH: `${dirname(pulumi)}:${process.env["PATH"] ?? ""}`,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_HOME: join(folder, "home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_CONFIG_PASSPHRASE: passphrase,
  };
  const run = (...line: string[]): string =>
    execFileSync(pulumi, line, {
      cwd: directory,
      env: { ...process.env, ...environment },
      encoding: "utf8",
      stdio: "pipe",
    });
  run("stack", "init", "homelab", "--secrets-provider", "passphrase");
  // As if something had been made: the state of a stack that never ran has no resources.
  const exported = JSON.parse(run("stack", "export", "--stack", "homelab")) as { deployment: Record<string, unknown> };
  exported.deployment["resources"] = [
    {
      urn: "urn:pulumi:homelab::kraft::pulumi:pulumi:Stack::kraft-homelab",
      custom: false,
      type: "pulumi:pulumi:Stack",
    },
  ];
  const file = join(folder, "state.json");
  writeFileSync(file, JSON.stringify(exported));
  run("stack", "import", "--stack", "homelab", "--force", "--file", file);
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function run(line: readonly string[], changes: Readonly<Record<string, string>> = environment): Promise<Ended> {
  return kraft(["kit", kit, "homelab", "--directory", directory, ...line], changes);
}

/** What a check without anything in the environment finds wrong. */
async function wrong(): Promise<string[]> {
  const { code, stdout, stderr } = await run(["--json"], {});
  assert.ok(stdout !== "", stderr);
  const { ok, date, lines } = JSON.parse(stdout) as { ok: boolean; date: string | null; lines: readonly KitLine[] };
  assert.deepEqual([ok, date !== null], [code === 0, code === 0]);
  return lines.filter((line) => !line.ok).map(({ what, found }) => `${what}: ${found}`);
}

test("a kit that is written is complete, for its owner alone, and is checked without anything else", async () => {
  const written = await run(["--write"]);
  assert.equal(written.code, 0, written.stdout + written.stderr);
  assert.match(
    written.stderr,
    /^Written: passphrase, Pulumi\.homelab\.yaml, READ-ME-homelab\.txt, state-homelab\.json\./m,
  );
  assert.match(written.stderr, /WHOEVER HAS THIS FOLDER CAN READ AND DELETE EVERY BACKUP/);
  for (const name of readdirSync(kit)) {
    assert.equal(statSync(join(kit, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(kit).mode & 0o777, 0o700);
  assert.deepEqual(await wrong(), []);
  const { stdout } = await run([], {});
  assert.match(
    stdout,
    /\n {2}ok +its key opens the backups +1 volumes in s3:\/\/kraft-backup@eu-central-2\/homelab\/, the newest of 0 min ago\n/,
  );
  assert.match(stdout, /pulumi config set -s homelab --path kraft:expiry\.recoveryKit \d{4}-\d\d-\d\d\n$/);
  for (const secret of [passphrase, clear.wasabiSecretAccessKey, clear.guestTokenSeed]) {
    assert.ok(!`${written.stdout}${written.stderr}${stdout}`.includes(secret));
  }
});

test("each thing that is missing, old or broken is named with its fix", async () => {
  const kept = join(kit, "Pulumi.homelab.yaml");
  const original = readFileSync(kept, "utf8");
  const file = parse(original) as { encryptionsalt?: string; config: Record<string, unknown> };
  const restoring: (readonly [string, string, () => void, RegExp[]])[] = [
    [
      "passphrase",
      `${passphrase}\n`,
      () => {
        rmSync(join(kit, "passphrase"));
      },
      [
        /^passphrase: missing/,
        /no passphrase to try/,
        /the passphrase of .* is needed/,
        /^Pulumi's state: the passphrase is not/,
      ],
    ],
    [
      "passphrase",
      `${passphrase}\n`,
      () => {
        writeFileSync(join(kit, "passphrase"), "another\n");
      },
      [
        /opens every secret: the passphrase is not the one/,
        /opens the backups: the passphrase is not/,
        /^Pulumi's state: the passphrase is not/,
      ],
    ],
    [
      "Pulumi.homelab.yaml",
      original,
      () => {
        writeFileSync(kept, stringify({ config: file.config }));
      },
      [/^the same stack file as here: they differ/, /has no line encryptionsalt/, /has no line encryptionsalt/],
    ],
    [
      "Pulumi.homelab.yaml",
      original,
      () => {
        const { "kraft:guestTokenSeed": _seed, ...config } = file.config;
        writeFileSync(kept, stringify({ ...file, config }));
      },
      [/they differ/, /no encrypted kraft:guestTokenSeed/],
    ],
    [
      "state-homelab.json",
      readFileSync(join(kit, "state-homelab.json"), "utf8"),
      () => {
        writeFileSync(join(kit, "state-homelab.json"), '{"deploy');
      },
      [/^Pulumi's state: no JSON/],
    ],
    [
      "state-homelab.json",
      readFileSync(join(kit, "state-homelab.json"), "utf8"),
      () => {
        writeFileSync(join(kit, "state-homelab.json"), '{"deployment":{}}');
      },
      [/^Pulumi's state: a state without resources/],
    ],
  ];
  for (const [name, content, breakIt, messages] of restoring) {
    breakIt();
    const found = await wrong();
    assert.equal(found.length, messages.length, found.join("\n"));
    for (const [index, message] of messages.entries()) {
      assert.match(found[index] ?? "", message);
    }
    writeFileSync(join(kit, name), content, { mode: 0o600 });
  }
  chmodSync(join(kit, "passphrase"), 0o644);
  assert.deepEqual(await wrong(), ["passphrase is yours alone: others on this machine can read it"]);
  chmodSync(join(kit, "passphrase"), 0o600);
  assert.deepEqual(await wrong(), []);
});

test("nothing is replaced silently, nothing is written that opens nothing, and never into the repository", async () => {
  writeFileSync(join(kit, "Pulumi.homelab.yaml"), "config: {}\n");
  const refused = await run(["--write"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /has another Pulumi\.homelab\.yaml: nothing was written/);
  assert.equal(readFileSync(join(kit, "Pulumi.homelab.yaml"), "utf8"), "config: {}\n");
  const forced = await run(["--write", "--force"]);
  assert.equal(forced.code, 0, forced.stdout + forced.stderr);

  const other = join(folder, "other");
  const write = (where: string, changes: Readonly<Record<string, string>>) =>
    kraft(["kit", where, "homelab", "--directory", directory, "--write"], changes);
  for (const [where, changes, message] of [
    [
      other,
      { ...environment, PULUMI_CONFIG_PASSPHRASE: "another" },
      /the passphrase is not the one of Pulumi\.homelab\.yaml/,
    ],
    [join(directory, "kit"), environment, /lies in the repository/],
    [join(import.meta.dirname, "../../kit"), environment, /lies in the repository/],
  ] as const) {
    const ended = await write(where, changes);
    assert.match(ended.stderr, message);
    assert.equal(ended.code, 1);
    assert.ok(!existsSync(where));
  }
});

test("without Pulumi the rest is written, and what is to be done for the state is said", async () => {
  const other = join(folder, "without-pulumi");
  const { PATH: _path, ...rest } = environment;
  const ended = await kraft(["kit", other, "homelab", "--directory", directory, "--write"], {
    ...rest,
    PATH: "/nowhere",
  });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /Pulumi's state was not exported: there is no pulumi on this machine/);
  assert.match(ended.stdout, /\n {2}Pulumi's state: .*pulumi stack export -s homelab --file /);
});
