import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readStackFile } from "../../infra/config/stack-file.ts";
import { fingerprintOf } from "../../kraft/host-kubeconfig/ssh.ts";
import { stacks } from "../../stacks/index.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";
import { insideLaboratory } from "./lab/inside.ts";
import { Lab } from "./lab/lab.ts";

// Real: sshd, keys, sudo and Debian on three machines, ssh and ssh-keyscan of the operator.
const surroundings = await insideLaboratory(import.meta.filename);

const domain = "cluster.meier.example";
let lab: Lab;
let directory: string;
let key: string;

before(async () => {
  lab = new Lab(surroundings.root);
  for (const node of lab.nodes) {
    writeFileSync(join(node.root, "etc", "resolv.conf"), "# by hand\nnameserver 10.77.0.1\n");
  }
  await lab.start();
  directory = mkdtempSync(join(tmpdir(), "kraft-init-"));
  copyFileSync(join(import.meta.dirname, "../../Pulumi.yaml"), join(directory, "Pulumi.yaml"));
  key = join(directory, "key");
  writeFileSync(key, lab.privateKey, { mode: 0o600 });
});

after(async () => {
  await lab.stop();
  rmSync(directory, { recursive: true });
});

function init(fingerprints: readonly string[], more: readonly string[] = []): Promise<Ended> {
  return kraft(
    [
      ...["init", "homelab", "--directory", directory, "--domain", domain, "--setup", "kraft", "--key", key],
      ...["--machines", ...lab.nodes.map(({ address }) => address), "--fingerprint", ...fingerprints],
      ...["--bucket", "meier-backup", "--region", "eu-central-2", "--line", "200/50", ...more],
    ],
    { SSH_AUTH_SOCK: "" },
  );
}

/** The fingerprints as the machines' own screens show them. */
function fingerprints(): string[] {
  return lab.nodes.map((node) => node.inside("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split(" ")[1] ?? "");
}

const file = (): string => join(directory, "Pulumi.homelab.yaml");

test("a machine that shows another host key is not asked anything, and nothing is written", async () => {
  const [first = "", second = ""] = fingerprints();
  const { code, stderr } = await init([first, second, first]);
  assert.equal(code, 1);
  assert.match(stderr, /another machine may answer in the place of yours/);
  assert.match(stderr, /10\.77\.0\.13 shows SHA256:\S+, and --fingerprint says SHA256:/);
  assert.equal(existsSync(file()), false);
});

test("a machine that does not let the user in is named, and no other", async () => {
  lab.nodes[1]?.inside("mv /home/kraft/.ssh/authorized_keys /home/kraft/.ssh/authorized_keys.away");
  const { code, stderr } = await init(fingerprints());
  lab.nodes[1]?.inside("mv /home/kraft/.ssh/authorized_keys.away /home/kraft/.ssh/authorized_keys");
  assert.equal(code, 1);
  assert.match(stderr, /10\.77\.0\.12: .*Permission denied/);
  assert.doesNotMatch(stderr, /10\.77\.0\.1[13]/);
  assert.equal(existsSync(file()), false);
});

test("a machine that is off is named", async () => {
  const [, , third] = lab.nodes;
  const all = fingerprints();
  await third?.powerOff();
  const { code, stderr } = await init(all);
  assert.equal(code, 1);
  assert.match(stderr, /10\.77\.0\.13: no SSH server with an ed25519 host key answers/);
  await third?.powerOn();
});

test("three machines are measured over SSH, and check finds no problem left but secrets", async () => {
  const shown = fingerprints();
  lab.takeCalls();
  const { code, stderr, stdout } = await init(shown);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Pulumi\.homelab\.yaml is written\./);
  const homelab = stacks.get("homelab") ?? assert.fail();
  const { stack, raw } = readStackFile(homelab, directory);
  assert.deepEqual(
    stack.nodes.map(({ name, threads }) => [name, threads]),
    lab.nodes.map(({ name }) => [name, availableParallelism()]),
  );
  const memory = Number(/^MemTotal: +(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1024 / 1024;
  assert.ok(stack.nodes.every(({ memoryGiB }) => memoryGiB === Math.floor(memory)));
  // test/machines/stand-ins/node.sh mounts one mebibyte there.
  assert.ok(stack.nodes.every(({ longhornGiB }) => longhornGiB === 1 / 1024));
  const nodes = raw.values["nodes"] as Readonly<Record<string, { hostKey: string }>>;
  assert.deepEqual(
    Object.values(nodes).map(({ hostKey }) => fingerprintOf(hostKey)),
    shown,
  );
  assert.deepEqual(raw.values["network"], { resolvers: ["10.77.0.1"], home: [] });
  assert.deepEqual(lab.takeCalls(), [], "nothing was changed on the machines");

  const checked = await kraft(["check", "homelab", "--directory", directory, "--json"]);
  const [result] = (JSON.parse(checked.stdout) as { stacks: { problems: { key: string }[]; warnings: object[] }[] })
    .stacks;
  const secrets = ["guestTokenSeed", "k3sToken", "machineKey", "wasabiAccessKeyId", "wasabiSecretAccessKey"];
  assert.deepEqual(
    result?.problems.map((problem) => problem.key),
    secrets.map((name) => `kraft:${name}`),
  );
});

test("the file that is there now is left as it is", async () => {
  const text = readFileSync(file(), "utf8");
  const { code, stderr } = await init(fingerprints());
  assert.equal(code, 1);
  assert.match(stderr, /Pulumi\.homelab\.yaml is there already and was left as it is/);
  assert.equal(readFileSync(file(), "utf8"), text);
});
