import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { modelOf, readStackFile } from "../../../../infra/config/stack-file.ts";
import { Output, type Stream } from "../../../../kraft/cli/output.ts";
import { fingerprintOf } from "../../../../kraft/host-kubeconfig/ssh.ts";
import { Interrupted, type Prompter, refusalLines } from "../../../../kraft/init/interview.ts";
import { measureCommand, readMeasurement } from "../../../../kraft/init/measure.ts";
import { checkPlace } from "../../../../kraft/init/place.ts";
import { type Flags, type Question, questionsFor } from "../../../../kraft/init/questions.ts";
import { describeStack } from "../../../../kraft/init/run.ts";
import { stacks } from "../../../../stacks/index.ts";
import { kraft } from "../../../fixtures/kraft/command.ts";

const root = join(import.meta.dirname, "../../../..");
const homelab = stacks.get("homelab") ?? assert.fail();
const proliant = stacks.get("proliant") ?? assert.fail();
/** Any file that is there: nothing reads it. */
const key = import.meta.filename;
const hostKey = (number: number): string => `ssh-ed25519 ${"A".repeat(67)}${number}`;

/** What an OptiPlex with Debian says. */
function said(number: number, change: Readonly<Record<string, string>> = {}): string {
  const lines = {
    host: `optiplex-${number}`,
    addresses: `192.168.1.1${number} 2001:db8::1`,
    root: "yes",
    threads: "4",
    memory: "32612588",
    longhorn: "724966400",
    driver: "e1000e",
    speed: "1000",
    model: "OptiPlex 3070",
    resolver: "192.168.1.1",
    ...change,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} ${value}\n`)
    .join("");
}

let directory: string;
let bin: string;
const path = process.env["PATH"];

/**
 * Programs in the place of `ssh` and `ssh-keyscan`: the real ones talk to real machines in test/machines/init.test.ts.
 */
function machines(answers: readonly string[]): void {
  const addresses = answers.map((_, index) => `192.168.1.1${index + 1}`);
  const choose = (texts: readonly string[]): string =>
    `case "$*" in\n${texts.map((text, index) => `*${addresses[index]}*) cat <<'END'\n${text}\nEND\n;;`).join("\n")}\nesac\n`;
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\n${choose(answers)}`);
  writeFileSync(
    join(bin, "ssh-keyscan"),
    `#!/bin/sh\n${choose(addresses.map((address, index) => `${address} ${hostKey(index + 1)}`))}`,
  );
  for (const name of readdirSync(bin)) {
    chmodSync(join(bin, name), 0o755);
  }
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kraft-init-"));
  bin = join(directory, "bin");
  mkdirSync(bin);
  copyFileSync(join(root, "Pulumi.yaml"), join(directory, "Pulumi.yaml"));
  process.env["PATH"] = [bin, path].join(delimiter);
  machines([1, 2, 3].map((number) => said(number)));
});

afterEach(() => {
  process.env["PATH"] = path;
  rmSync(directory, { recursive: true });
});

/** Somebody who types these answers, in this order, and is asked again where one does not fit. */
class Typist implements Prompter {
  readonly asked: string[] = [];
  readonly refusals: string[] = [];
  readonly suggested: (string | undefined)[] = [];
  readonly #answers: string[];

  constructor(answers: readonly string[]) {
    this.#answers = [...answers];
  }

  ask(question: Question, suggestion: string | undefined): Promise<string> {
    this.asked.push(question.name);
    this.suggested.push(suggestion);
    for (;;) {
      const answer = this.#answers.shift();
      if (answer === undefined) {
        return Promise.reject(new Interrupted());
      }
      const given = answer === "" ? (suggestion ?? "") : answer;
      const refusal = question.refusal(given);
      if (refusal === undefined) {
        return Promise.resolve(given);
      }
      this.refusals.push(refusal);
    }
  }

  confirm(text: string): Promise<boolean> {
    this.asked.push(text.slice(0, 27));
    return Promise.resolve(this.#answers.shift() === "yes");
  }
}

const silent: Stream = { write: () => true };

function init(answers: readonly string[] | undefined, flags: Flags = {}, stack = homelab) {
  const typist = answers === undefined ? undefined : new Typist(answers);
  return { typist, done: describeStack(stack, directory, flags, typist, new Output(silent, silent)) };
}

const answers = [
  "cluster.meier.example",
  "kraft",
  "192.168.1.11, 192.168.1.12 192.168.1.13",
  "",
  key,
  "yes",
  "192.168.1.250",
  "meier-backup",
  "eu-central-2",
  "200/50",
];

function written(stack = "homelab"): string {
  return readFileSync(join(directory, `Pulumi.${stack}.yaml`), "utf8").replace(/on \d{4}-\d\d-\d\d/, "on <day>");
}

describe("a first evening", () => {
  test("ten questions, and every figure in the file is measured or asked", async () => {
    const { typist, done } = init(answers);
    const { asked, left } = await done;
    assert.equal(asked, 10);
    assert.equal(typist?.asked.length, 10);
    assert.equal(
      written(),
      `# Stack homelab, described by npx kraft init on <day>.
config:
  # Its uid follows once the cluster runs.
  kraft:cluster:
    kubeconfig: ~/.kube/kraft-homelab.yaml
    context: kraft-homelab

  # Every preview compares this with what the nodes report.
  kraft:nodes:
${[1, 2, 3]
  .map(
    (number) => `    optiplex-${number}:
      address: 192.168.1.1${number}
      hostKey: ${hostKey(number)}
      hardware:
        threads: 4
        memory: 31Gi
        longhorn: 691Gi
        networkDrivers:
          - e1000e
        model: OptiPlex 3070
`,
  )
  .join("")}
  # clusterInit is for the first installation only: remove it once uid is set.
  kraft:machines:
    clusterInit: true

  # home: your own public ranges, such as your IPv6 prefix: tenants never reach them.
  kraft:network:
    resolvers:
      - 192.168.1.1
    home: []
    entry: 192.168.1.250

  kraft:domain: cluster.meier.example

  # Change it to production once a first certificate came from staging.
  kraft:issuer:
    server: staging

  kraft:backup:
    bucket: meier-backup
    region: eu-central-2
    prefix: homelab

  kraft:line:
    downlinkMbps: 200
    uplinkMbps: 50

  # One entry each: docs/first-steps.md.
  kraft:tenants: {}
`,
    );
    const [first, second, ...others] = left;
    assert.match(first ?? "", /docs\/first-steps\.md, step 2; then$/);
    assert.equal(second, "pulumi stack init homelab --secrets-provider passphrase");
    const secrets = others.slice(0, 5).toSorted();
    assert.deepEqual(secrets, [
      "openssl rand -hex 32 | pulumi config set --secret kraft:guestTokenSeed -s homelab",
      "openssl rand -hex 32 | pulumi config set --secret kraft:k3sToken -s homelab",
      `pulumi config set --secret kraft:machineKey -s homelab < ${key}`,
      "pulumi config set --secret kraft:wasabiAccessKeyId -s homelab",
      "pulumi config set --secret kraft:wasabiSecretAccessKey -s homelab",
    ]);
    assert.deepEqual(others.slice(5), [
      "kraft:cluster.uid: pulumi up sets the machines up first; then npx kraft host-kubeconfig -s homelab says it",
      "kraft:tenants: a first tenant, as README shows",
      "kraft:alerts: who is told when something is wrong, docs/monitoring.md",
      "optional: kraft:prices with hardware.watts of each node, kraft:network.home, kraft:contact",
      "npx kraft check -s homelab",
    ]);
    assert.equal(existsSync(join(directory, ".kraft", "init-homelab.json")), false);
  });

  test("check finds no problem left but secrets", async () => {
    await init(answers).done;
    const { stdout } = await kraft(["check", "homelab", "--directory", directory, "--json"]);
    const [result] = (JSON.parse(stdout) as { stacks: { problems: { key: string }[]; warnings: object[] }[] }).stacks;
    assert.deepEqual(result?.warnings[0], {
      key: "kraft:cluster.uid",
      message: "no cluster yet: pulumi up sets up the machines alone, then says how to find the uid",
    });
    const secrets = ["guestTokenSeed", "k3sToken", "machineKey", "wasabiAccessKeyId", "wasabiSecretAccessKey"];
    assert.deepEqual(
      result.problems.map(({ key }) => key),
      secrets.map((key) => `kraft:${key}`),
    );
  });

  test("the same by options, without a terminal; wrong and missing ones are all named at once", async () => {
    await init(answers).done;
    const asked = written();
    rmSync(join(directory, "Pulumi.homelab.yaml"));
    const flags: Flags = {
      domain: "cluster.meier.example",
      setup: "kraft",
      machines: ["192.168.1.11", "192.168.1.12", "192.168.1.13"],
      key,
      fingerprint: [1, 2, 3].map((number) => fingerprintOf(hostKey(number))),
      entry: "192.168.1.250",
      bucket: "meier-backup",
      region: "eu-central-2",
      line: "200/50",
    };
    await init(undefined, flags).done;
    assert.equal(written(), asked);
    rmSync(join(directory, "Pulumi.homelab.yaml"));

    const missing = await kraft(["init", "homelab", "--directory", directory, "--domain", "meier.example"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /answers are missing\n +--setup --machines --fingerprint --bucket --region\n$/);
    const wrong = await kraft([
      ...["init", "homelab", "--directory", directory, "--domain", "Meier", "--region", "eu-central-7"],
      ...["--line", "fast", "--machines", "192.168.1.11", "router"],
    ]);
    assert.equal(wrong.code, 2);
    for (const name of ["domain", "machines", "region", "line"]) {
      assert.match(wrong.stderr, new RegExp(`--${name} .*\\n +allowed: `));
    }
    assert.equal(existsSync(join(directory, "Pulumi.homelab.yaml")), false);
  });

  test("a wrong answer is refused in the words of a preview, and asked again", async () => {
    const [, ...rest] = answers;
    const { typist, done } = init(["Müller.de", "homelab.invalid", "cluster.meier.example", ...rest]);
    await done;
    assert.match(typist?.refusals[0] ?? "", /^allowed: a domain of your own in lower case.*xn--mller-kva\.de$/);
    assert.equal(typist?.refusals.length, 2);
  });

  test("a refusal names no command for a stack file or cluster that is not there yet, and which address is wrong", async () => {
    const [domain = "", setup = "", ...rest] = answers;
    const { typist, done } = init(["meier", domain, setup, "192.168.1.11 192.168.1", ...rest]);
    await done;
    assert.doesNotMatch(typist?.refusals.join() ?? "", /pulumi|kubectl/);
    assert.match(typist?.refusals[1] ?? "", /"192\.168\.1" is none$/);
  });

  test("a key that is not there is refused before a machine is asked", async () => {
    const { typist, done } = init([...answers.slice(0, 4), "/keys/missing", ...answers.slice(4)]);
    await done;
    assert.deepEqual(typist?.refusals, ["allowed: the path of a file that is there"]);
  });

  test("a question and a usual answer fit one line of a terminal, which breaks addresses in the middle", () => {
    const usual = {
      machines: answers[2],
      entry: answers[6],
      hardware: "48 128Gi 3000Gi",
      longhorn: "690Gi",
      resolver: "192.168.1.1",
    };
    for (const stack of [homelab, proliant]) {
      for (const { name, text } of Object.values(questionsFor(stack))) {
        const line = `? ${text} ${Object.entries(usual).find(([key]) => key === name)?.[1] ?? ""}`;
        assert.ok(line.length < 80, line);
      }
    }
  });

  test("a terminal breaks a refusal between its words", () => {
    const region = questionsFor(homelab).region.refusal("frankfurt");
    for (const line of `> ${refusalLines(region, 80) ?? ""}`.split("\n")) {
      assert.ok(line.length <= 80, line);
    }
    assert.equal(refusalLines(region, 80)?.replace(/\s+/g, " "), region);
    assert.equal(refusalLines(undefined), undefined);
  });
});

describe("interrupted or in the way", () => {
  test("interrupted: nothing is written, the answers are for their owner alone, and suggested the next time", async () => {
    await assert.rejects(init(answers.slice(0, 7)).done, /interrupted; nothing was written/);
    assert.equal(existsSync(join(directory, "Pulumi.homelab.yaml")), false);
    assert.equal(statSync(join(directory, ".kraft", "init-homelab.json")).mode & 0o777, 0o600);
    const { typist, done } = init(["", "", "", "", "", "yes", "", ...answers.slice(7)]);
    await done;
    assert.deepEqual(typist?.suggested.slice(0, 3), answers.slice(0, 3));
    assert.match(written(), /kraft:domain: cluster\.meier\.example/);
  });

  test("a file of the operator's is never replaced; Kraft's example is, as far as git has it", async () => {
    const file = join(directory, "Pulumi.homelab.yaml");
    const git = (...words: string[]): void => {
      assert.equal(
        spawnSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@b.c", ...words]).status,
        0,
      );
    };
    copyFileSync(join(root, "Pulumi.homelab.yaml"), file);
    assert.throws(() => {
      checkPlace("homelab", directory);
    }, /Pulumi\.homelab\.yaml is there already and was left as it is[\s\S]*mv Pulumi\.homelab\.yaml Pulumi\.homelab\.yaml\.old/);
    git("init", "-q");
    git("add", "Pulumi.homelab.yaml");
    git("commit", "-qm", "example");
    checkPlace("homelab", directory);
    const example = readFileSync(file, "utf8");
    for (const changed of [
      example.replace("acme.example", "acme.test"),
      `${example}encryptionsalt: v1:abc\n`,
      "config: [",
    ]) {
      writeFileSync(file, changed);
      assert.throws(() => {
        checkPlace("homelab", directory);
      }, /is there already/);
    }
    git("commit", "-qam", "a value of the operator's");
    assert.throws(() => {
      checkPlace("homelab", directory);
    }, /is there already/);
    writeFileSync(file, example);
    git("commit", "-qam", "the example again");
    await init(answers).done;
    assert.match(written(), /described by npx kraft init/);
    await assert.rejects(init(answers).done, /is there already/);
  });

  test("another host key than the operator says: nothing is asked of the machine, nothing written", async () => {
    const flags: Flags = { fingerprint: [1, 2, 4].map((number) => fingerprintOf(hostKey(number))) };
    writeFileSync(join(bin, "ssh"), '#!/bin/sh\ntouch "$0.called"\n');
    await assert.rejects(
      init(
        answers.filter((answer) => answer !== "yes"),
        flags,
      ).done,
      /another machine may answer[\s\S]*192\.168\.1\.13 shows SHA256:\S+, and --fingerprint says SHA256:/,
    );
    await assert.rejects(init(answers.with(5, "no")).done, /the host keys are not confirmed; nothing was written/);
    assert.equal(existsSync(join(bin, "ssh.called")), false);
    assert.equal(existsSync(join(directory, "Pulumi.homelab.yaml")), false);
  });

  test("an answer that fits no home network is refused before anything is written", async () => {
    await assert.rejects(
      init(answers.with(6, "192.168.1.12")).done,
      /What you answered has 1 problem[\s\S]*kraft:network\.entry[\s\S]*the address of optiplex-2/,
    );
    assert.equal(existsSync(join(directory, "Pulumi.homelab.yaml")), false);
  });

  test("everything that is in the way on the machines is said at once", async () => {
    machines([said(1, { root: "", longhorn: "" }), said(2, { addresses: "10.0.0.2", threads: "0" }), said(3)]);
    await assert.rejects(
      init(answers).done,
      (error: Error) =>
        [
          /192\.168\.1\.11: the user may not use sudo/,
          /192\.168\.1\.11: no file system is mounted at \/var\/lib\/longhorn/,
          /192\.168\.1\.12: that machine does not have this address itself, but 10\.0\.0\.2/,
          /192\.168\.1\.12: it does not say how many threads/,
        ].every((text) => text.test(error.message)) && !error.message.includes("192.168.1.13"),
    );
    machines([said(1), said(2, { host: "optiplex-1" }), said(3)]);
    await assert.rejects(init(answers).done, /192\.168\.1\.11 and 192\.168\.1\.12 are both called optiplex-1/);
    await init(answers.with(2, "a=192.168.1.11 b=192.168.1.12 c=192.168.1.13")).done;
    assert.match(written(), / {4}b:\n {6}address: 192\.168\.1\.12/);
  });
});

describe("other ways", () => {
  test("a name server on the machine itself is none", async () => {
    machines([1, 2, 3].map((number) => said(number, { resolver: "127.0.0.1" })));
    await assert.rejects(
      init(answers).done,
      /no name server that others can ask: 127\.0\.0\.1\n {2}say which with --resolver/,
    );
    await init(answers, { resolver: ["192.168.1.1", "192.168.1.2"] }).done;
    assert.match(written(), /resolvers:\n {6}- 192\.168\.1\.1\n {6}- 192\.168\.1\.2/);
  });

  test("a slow network is said", () => {
    const found = readMeasurement(said(1, { speed: "100" }), { name: undefined, address: "192.168.1.11" }, "", "/x");
    assert.equal(Array.isArray(found) ? found : found.networkMbps, 100);
  });

  test("a ProLiant, which nothing can be asked of before Talos is on it", async () => {
    const typist = ["meier.example", "kraft", "192.168.1.20", "48 128Gi 3000Gi", "meier-backup", "eu-central-2", ""];
    const { asked, left } = await init(typist, {}, proliant).done;
    assert.equal(asked, 7);
    assert.match(written("proliant"), /proliant-1:\n {6}address: 192\.168\.1\.20\n {6}hardware:\n {8}threads: 48/);
    assert.ok(left.some((text) => text.startsWith("kraft:nodes.proliant-1.drives: ")));
    assert.match(left.join("\n"), /optional: .*kraft:line/);
  });

  test("what is written is read as it was meant", async () => {
    await init(answers).done;
    const file = readStackFile(homelab, directory);
    assert.deepEqual(
      file.stack.nodes.map(({ name, threads, memoryGiB, longhornGiB }) => [name, threads, memoryGiB, longhornGiB]),
      [1, 2, 3].map((number) => [`optiplex-${number}`, 4, 31, 691]),
    );
    assert.throws(() => modelOf(file), /kraft:wasabiAccessKeyId/);
  });

  test("the command that measures is one word for ssh's shell, whatever is in it", () => {
    const { stdout, status } = spawnSync("sh", ["-c", measureCommand("/")], { encoding: "utf8" });
    assert.equal(status, 0);
    assert.match(stdout, /^host \S+\naddresses .*\n/);
    assert.match(stdout, /\nthreads \d+\nmemory \d+\n/);
    assert.match(stdout, /\nlonghorn \d+\n/);
  });
});

test("no stack, an unknown one, and the embedded one", async () => {
  for (const words of [[], ["homelub"], ["local"]]) {
    const { code, stderr } = await kraft(["init", ...words, "--directory", directory]);
    assert.equal(code, 2);
    assert.match(stderr, /allowed: homelab \(k3s\), proliant \(talos\)/);
  }
});
