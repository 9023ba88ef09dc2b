// docs/first-steps.md in its order, in a fresh clone, by an operator with a k3s of their own. The real Pulumi CLI, with its
// state in a bucket, runs every command but those that need a shell on a machine, kubectl, or Pulumi's host for Node
// programs, which is no Go module: `preview` and `up` are the same engine over the same files, by the Automation API.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { parse, stringify } from "yaml";
import { k3kVersion, provideCharts } from "../../local/charts.ts";
import { RealWorkloads } from "../../local/real-workloads.ts";
import { ensureBucket } from "../../local/s3.ts";
import { localProjectFile, type ProjectFile } from "../../local/stack-files.ts";
import { silentReporter } from "../../local/terminal.ts";
import { readyTool } from "../../local/toolchain/ready.ts";
import { type S3Server, startS3 } from "../fixtures/s3-server.ts";
import { type Embedded, embedded } from "./embedded.ts";

const checkout = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "kraft-first-steps-"));
const home = join(folder, "home");
const pulumiHome = join(home, ".pulumi");
const clone = join(folder, "kraft");
const keys = { accessKeyId: "one-key-for-both", secretAccessKey: "one-secret-for-both" };

/** What the page has the operator export. */
const exported: Record<string, string> = {};

let host: Embedded;
let bucket: S3Server;
let stack: automation.Stack;

before(async () => {
  host = await embedded("homelab");
  const options = { ...keys, directory: join(folder, "s3"), tools: host.cluster.tools, region: "eu-central-2" };
  bucket = await startS3({ ...options, bucket: "meier-state" });
  await ensureBucket({ ...options, bucket: "meier-backup", port: Number(new URL(bucket.endpoint).port) });
});

after(async () => {
  await bucket.stop();
  await host.remove();
  rmSync(folder, { recursive: true });
});

/** Every line of the page's shell blocks, under its heading, without comments. */
const page = readFileSync(join(checkout, "docs/first-steps.md"), "utf8");
const lines = page.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
    block
      .replaceAll(/\\\n */g, "")
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, ""))
      .filter((line) => line !== "")
      .map((line) => ({ section: section.slice(0, section.indexOf("\n")), line })),
  ),
);

/** Takes the page's next line, which must be this one once its blanks are filled in. */
function next(start: string, blanks: Readonly<Record<string, string>> = {}): string {
  const { line = "nothing is left", section = "" } = lines.shift() ?? {};
  assert.ok(line.startsWith(start), `the next line, of "${section}", is: ${line}`);
  const filled = Object.entries(blanks).reduce((text, [blank, value]) => text.replaceAll(blank, value), line);
  assert.doesNotMatch(filled.replaceAll(/'[^']*'/g, ""), /<[a-z]/, "every blank must be filled in");
  return filled;
}

/** Runs a line as the operator would: with a home folder and nothing else of this machine. */
function shell(line: string, input = "", cwd = clone) {
  const cli = dirname(readyTool(host.cluster.tools, "pulumi").path);
  return spawnSync("bash", ["-ec", line], {
    cwd,
    input,
    encoding: "utf8",
    env: {
      HOME: home,
      // It takes the home folder from the list of users otherwise.
      PULUMI_HOME: pulumiHome,
      PATH: [cli, join(clone, "node_modules/.bin"), dirname(process.execPath), process.env["PATH"]].join(":"),
      COLUMNS: "10000",
      ...exported,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  });
}

/** Runs a line that must end with this code, and gives what it printed. */
function run(line: string, { input = "", code = 0, cwd = clone } = {}): string {
  const { status, stdout, stderr } = shell(line, input, cwd);
  assert.equal(status, code, `${line}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Keys that `check` still asks for. */
function missing(): string[] {
  const { status, stdout, stderr } = shell("npx kraft check -s homelab --json");
  const [checked] = (JSON.parse(stdout) as { stacks: { problems: { key: string }[] }[] }).stacks;
  assert.equal(status, checked?.problems.length === 0 ? 0 : 1, stderr);
  return checked?.problems.map(({ key }) => key) ?? [];
}

const secretKeys = ["kraft:guestTokenSeed", "kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey"];

test("1 and 4: the checkout, and a stack file for a cluster that is there", () => {
  mkdirSync(join(home, ".kube"), { recursive: true });
  const fetched = next("git clone", { "<this repository>": checkout }).replace(/ && npm ci$/, "");
  run(fetched, { cwd: folder });
  // What is not committed yet is tested as well.
  run(`git -C ${checkout} diff --binary HEAD | git apply --allow-empty`);
  installPackages();
  next("npx kraft init homelab");

  // The other steps until 4 can wait: `init` comes first, as the page says.
  const own = lines.findIndex(({ section }) => section === "4. Machines");
  const [rules, , ssh, server, context, init, uid] = lines.splice(own, 7).map(({ line }) => line);
  assert.match(run(rules ?? ""), /^table bridge kraft /m);
  assert.match(ssh ?? "", /^ssh .* > ~\/\.kube\/kraft-homelab\.yaml$/);
  assert.match(server ?? "", /^kubectl .* set-cluster default --server=/);
  assert.match(context ?? "", /^kubectl .* rename-context default kraft-homelab$/);
  assert.match(uid ?? "", /^kubectl .* get namespace kube-system -o jsonpath='\{\.metadata\.uid\}'$/);
  const kubeconfig = readFileSync(host.cluster.kubeconfig, "utf8").replaceAll(host.cluster.context, "kraft-homelab");
  writeFileSync(join(home, ".kube/kraft-homelab.yaml"), kubeconfig, { mode: 0o600 });

  const answers =
    "--domain cluster.meier.example --bucket meier-backup --region eu-central-2 --line 200/50 --longhorn 800Gi";
  const said = run(`${init ?? ""} ${answers} --resolver 9.9.9.9`);
  assert.match(said, /Pulumi\.homelab\.yaml is written/);
  assert.deepEqual(missing().sort(), secretKeys);
});

test("2: the state in a bucket of its own, and the passphrase", () => {
  const [, credentials = ""] = /^```ini\n(.*?)^```/ms.exec(page) ?? [];
  mkdirSync(join(home, ".aws"));
  const filled = credentials
    .replace("<key of the state bucket>", keys.accessKeyId)
    .replace("<its secret>", keys.secretAccessKey);
  writeFileSync(join(home, ".aws/credentials"), filled, { mode: 0o600 });
  const wasabi = "https://s3.eu-central-2.wasabisys.com";
  run(next("pulumi login", { "<state bucket>": "meier-state", [wasabi]: bucket.endpoint }));
  for (const [variable, blanks] of [
    ["PULUMI_CONFIG_PASSPHRASE", { "<a long passphrase>": "correct horse battery staple" }],
    ["PULUMI_DIY_BACKEND_GZIP", {}],
  ] as const) {
    const [, value = ""] = /='?(.*?)'?$/.exec(next(`export ${variable}=`, blanks)) ?? [];
    exported[variable] = value;
  }
  run(next("pulumi stack init homelab"));
  assert.match(readFileSync(join(clone, "Pulumi.homelab.yaml"), "utf8"), /^encryptionsalt: v1:/m);
});

test("3: the secrets, after which nothing is missing", () => {
  run(next("pulumi config set --secret kraft:wasabiAccessKeyId"), { input: keys.accessKeyId });
  run(next("pulumi config set --secret kraft:wasabiSecretAccessKey"), { input: keys.secretAccessKey });
  run(next("openssl rand -hex 32 | pulumi config set --secret kraft:guestTokenSeed"));
  assert.deepEqual(missing(), []);
  assert.doesNotMatch(
    readFileSync(join(clone, "Pulumi.homelab.yaml"), "utf8"),
    new RegExp(`${keys.accessKeyId}|${keys.secretAccessKey}`),
  );
});

test("5: the cluster's UID", () => {
  run(next("pulumi config set --path kraft:cluster.uid", { "<that UID>": host.cluster.uid }));
  assert.deepEqual(missing(), []);
});

test("7: the first tenant, as README has it", () => {
  const [, example = ""] =
    /^## Add a tenant\n.*?^```yaml\n(.*?)^```/ms.exec(readFileSync(join(clone, "README.md"), "utf8")) ?? [];
  const file = join(clone, "Pulumi.homelab.yaml");
  const text = readFileSync(file, "utf8");
  const lines = example.replace("config:\n", "");
  assert.match(lines, /^ {2}kraft:tenants:\n {4}acme:\n/);
  writeFileSync(file, text.replace(/^ {2}kraft:tenants:.*$/m, lines.trimEnd()));
  assert.deepEqual(missing(), []);
  assert.match(readFileSync(file, "utf8"), /acme/);
});

test("8: check, preview, up and status", async () => {
  await onThisMachine();
  assert.match(run(next("npx kraft check")), /homelab/);
  next("pulumi preview");
  const { changeSummary } = await stack.preview();
  assert.deepEqual(Object.keys(changeSummary).sort(), ["create"]);
  next("pulumi up");
  const { summary } = await new RealWorkloads(host.cluster).during(() => stack.up());
  assert.equal(summary.result, "succeeded");
  assert.ok(existsSync(join(folder, "s3/objects/meier-state/.pulumi/stacks/kraft/homelab.json.gz")));
  // Simulated guests have no pods that run.
  const status = run(next("npx kraft status"), { code: 1 });
  assert.match(status, /optiplex-1/);
  assert.match(status, /acme/);
});

test("8: from the test authority to the real one", async () => {
  run(next("pulumi config set --path kraft:issuer.server production"));
  const { changeSummary } = await stack.preview();
  assert.equal(changeSummary.update, 1);
  next("pulumi up");
  const { summary } = await stack.up();
  assert.equal(summary.resourceChanges?.update, 1);
  // No certificate is issued here: npm run rehearse -- certificates
  next("kubectl annotate secrets");
  assert.deepEqual(lines, [], "nothing of the page is left");
});

/** In place of `npm ci`. Each package by itself: an `npm ci` in the clone would empty a folder that is the checkout's. */
function installPackages(): void {
  const [from, to] = [checkout, clone].map((root) => join(root, "node_modules")) as [string, string];
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name === ".package-lock.json") {
      copyFileSync(join(from, name), join(to, name));
    } else {
      symlinkSync(join(from, name), join(to, name));
    }
  }
}

/** What a machine without an internet needs otherwise: charts, K3k's version, the address of backups, the provider. */
async function onThisMachine(): Promise<void> {
  const { cluster } = host;
  await provideCharts(join(clone, "charts"), undefined, silentReporter);
  for (const [key, value] of [
    ["charts.source", "folder"],
    ["charts.path", "./charts"],
    ["k3kVersion", k3kVersion],
    ["backup.endpoint", bucket.endpoint],
    // The provider asks the list of users where `~` is.
    ["cluster.kubeconfig", join(home, ".kube/kraft-homelab.yaml")],
  ] as const) {
    run(`pulumi config set --path kraft:${key} ${value}`);
  }
  const file = join(clone, "Pulumi.yaml");
  const provider = readyTool(cluster.tools, "pulumi-resource-kubernetes");
  const plugin = { folder: dirname(provider.path), version: provider.version };
  writeFileSync(file, stringify(localProjectFile(parse(readFileSync(file, "utf8")) as ProjectFile, plugin)));
  const { default: program } = (await import(pathToFileURL(join(clone, "infra/index.ts")).href)) as {
    readonly default: () => Promise<object>;
  };
  const cli = dirname(dirname(readyTool(cluster.tools, "pulumi").path));
  stack = await automation.LocalWorkspace.selectStack(
    { stackName: "homelab", projectName: "kraft", program: async () => ({ ...(await program()) }) },
    {
      workDir: clone,
      pulumiHome,
      pulumiCommand: await automation.PulumiCommand.get({ root: cli }),
      envVars: {
        HOME: home,
        ...exported,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // Writes the state once, at the end: after each resource it takes longer than everything else.
        PULUMI_SKIP_CHECKPOINTS: "true",
      },
    },
  );
}
