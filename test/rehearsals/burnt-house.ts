// docs/runbooks/house-burned-down.md, command by command, with real pods and real bytes: two tenants write files, their
// volumes are backed up, everything but the stack file, the passphrase, Pulumi's state and the bucket is removed.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { engineFolder } from "../../local/engine.ts";
import { isRunning } from "../../local/processes.ts";
import { asRoot } from "../../local/root.ts";
import { keepS3Keys } from "../../local/s3.ts";
import { readState } from "../../local/state.ts";
import { eventually } from "../cluster/embedded.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { OutsideBucket } from "./outside-bucket.ts";
import { operatorEnvironment, passphraseFile, pulumi } from "./pulumi-command.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { applications, bringBackLostPods, expectFiles, filesOf, moveIn, shop, writeFiles } from "./tenants.ts";

const tenants = {
  acme: { domains: ["acme.example"], size: "small", tier: "critical" },
  blue: { domains: ["blue.example"], size: "small" },
};
const names = Object.keys(tenants) as (keyof typeof tenants)[];

/** Mebibytes that each application of each tenant writes, one file each. */
const files = 4;

/** The line of the homelab: the promise is computed from it. */
const line = { "kraft:line": { uplinkMbps: 50, downlinkMbps: 200 } };

/** What is kept outside the house, below a home's folder: the page's recovery kit, and the bucket with Pulumi's state. */
const kept = [passphraseFile, "pulumi/Pulumi.yaml", "pulumi/Pulumi.local.yaml", "pulumi/state"] as const;

function urlOf(tenant: keyof typeof tenants): string {
  return `https://${shop}.${tenants[tenant].domains[0] ?? ""}/`;
}

async function sitesAnswer(home: EmbeddedHome, seconds: number): Promise<void> {
  for (const tenant of names) {
    const page = `the page of ${tenant}\n`;
    let answer = "";
    await eventually(
      `${urlOf(tenant)} with the page of ${tenant}`,
      () => {
        answer = home.visited(urlOf(tenant));
        return Promise.resolve(answer === page ? true : undefined);
      },
      seconds,
    ).catch((error: unknown) => assert.fail(`${String(error)}: ${answer}`));
  }
}

/** What the checks promise, tenant by tenant: the last column of their table. */
async function promises(home: EmbeddedHome): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await home.tool("check", "local", "--json");
  const { stacks } = JSON.parse(stdout) as {
    readonly stacks: readonly { readonly tables: readonly { readonly rows: readonly (readonly string[])[] }[] }[];
  };
  const rows = stacks.flatMap(({ tables }) => tables).find((table) => table.rows[0]?.at(-1) === "back with all");
  return new Map(rows?.rows.slice(1).map((row) => [row[0] ?? "", row.at(-1) ?? ""]));
}

function serialOf(home: EmbeddedHome, url: string): string {
  const host = new URL(url).hostname;
  return home
    .atVisitor(
      "sh",
      "-c",
      `openssl s_client -connect ${host}:443 -servername ${host} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
    )
    .trim();
}

export async function run(rehearsal: Rehearsal): Promise<void> {
  const bucket = new OutsideBucket();
  rehearsal.removeAtEnd(() => bucket.remove());
  await bucket.start();
  const config = { "kraft:backup": bucket.location("local"), ...line, "kraft:tenants": tenants };

  const old = rehearsal.home();
  keepS3Keys(old.directory, bucket.keys);
  await rehearsal.step("a home comes up, with two tenants", () => rehearsal.bringUp(old, config));
  await rehearsal.step("both tenants move in: a shop and a database each", async () => {
    for (const tenant of names) {
      await moveIn(old, tenant);
      for (const app of applications) {
        await writeFiles(old.guest(tenant), app, files);
      }
    }
    await sitesAnswer(old, 180);
  });
  const before = new Map<string, Readonly<Record<string, string>>>();
  for (const tenant of names) {
    before.set(tenant, await filesOf(old.guest(tenant)));
  }
  const serials = new Map(names.map((tenant) => [tenant, serialOf(old, urlOf(tenant))]));
  for (const tenant of names) {
    await rehearsal.command(`npx kraft backup ${tenant} -s local`, () => old.tool("backup", tenant, "-s", "local"));
  }
  const late = await old
    .guest("acme")
    .inPod(await old.guest("acme").readyPod(shop), "sh", "-c", "echo late >/data/late; sync");
  assert.equal(late.code, 0, late.text);
  await rehearsal.command("npx kraft status -s local", () => old.tool("status", "-s", "local"));
  const promised = await promises(old);

  // The fire.
  const fresh = rehearsal.home();
  for (const file of kept) {
    mkdirSync(dirname(join(fresh.directory, file)), { recursive: true });
    cpSync(join(old.directory, file), join(fresh.directory, file), { recursive: true });
  }
  await rehearsal.step("the house burns down", async () => {
    const processes = Object.values(readState(old.directory)?.processes ?? {}).filter(isRunning);
    asRoot(["kill", "-KILL", ...processes.map(({ pid }) => String(pid))], "The house must burn");
    await old.remove();
  });
  assert.equal(existsSync(old.directory), false);

  // The way back. Nothing below reads anything of the old home.
  const wayBack = Date.now();
  const since = (): string => clock((Date.now() - wayBack) / 1000);
  const workDir = engineFolder(fresh.directory);
  const environment = operatorEnvironment(fresh.directory);
  const tool = (...line: readonly string[]): Promise<Ended> => kraft([...line, "--directory", workDir], environment);
  const runPulumi = (...line: readonly string[]): Promise<Ended> => pulumi(fresh.directory, line);

  const oldKeys = bucket.keys;
  await rehearsal.step("1. a new key of the bucket in place of the old one", () => bucket.replaceKeys());
  rehearsal.expect("the old key opens nothing any more", "", !(await bucket.opens(oldKeys)));

  const plan = ["restore", "plan", "-s", "local", "--directory", workDir];
  await rehearsal.command("2. npx kraft restore plan -s local, without the new key", () => kraft(plan, environment), 1);
  await rehearsal.command(
    "2. npx kraft restore plan -s local, with it in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    () =>
      kraft(plan, {
        ...environment,
        AWS_ACCESS_KEY_ID: bucket.keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: bucket.keys.secretAccessKey,
      }),
  );

  await rehearsal.command("3. pulumi stack export -s local > old-state.json", async () => {
    const { stdout, ...ended } = await runPulumi("stack", "export", "-s", "local");
    writeFileSync(join(workDir, "old-state.json"), stdout);
    return { ...ended, stdout: `${stdout.length} bytes` };
  });
  await rehearsal.command("3. pulumi stack rm local --force --preserve-config --yes", () =>
    runPulumi("stack", "rm", "local", "--force", "--preserve-config", "--yes"),
  );
  await rehearsal.command("3. pulumi stack init local --secrets-provider passphrase", () =>
    runPulumi("stack", "init", "local", "--secrets-provider", "passphrase"),
  );

  for (const [key, value] of [
    ["kraft:wasabiAccessKeyId", bucket.keys.accessKeyId],
    ["kraft:wasabiSecretAccessKey", bucket.keys.secretAccessKey],
  ] as const) {
    await rehearsal.command(`4. pulumi config set --secret ${key} …`, () =>
      runPulumi("config", "set", "--secret", key, value, "-s", "local"),
    );
  }
  keepS3Keys(fresh.directory, bucket.keys);
  await rehearsal.step("4. new machines, and pulumi up with kraft:phase: restore", () =>
    rehearsal.bringUp(fresh, { ...config, "kraft:phase": "restore" }),
  );
  rehearsal.figure("the platform without guests, after", since());

  await rehearsal.command("5. npx kraft restore apply -s local", () => tool("restore", "apply", "-s", "local"));
  rehearsal.figure("all volumes restored, after", since());

  await rehearsal.step("6. pulumi up without kraft:phase, until every guest is Ready", () =>
    rehearsal.bringUp(fresh, config),
  );
  rehearsal.figure("every guest Ready, after", since());

  for (const tenant of names) {
    const lost = await rehearsal.step(`7. every pod of ${tenant} is ready`, () => bringBackLostPods(fresh, tenant));
    rehearsal.figure(
      `pods of ${tenant} that waited until K3k's kubelets were started again`,
      lost.join(", ") || "none",
    );
  }
  rehearsal.figure("every pod of every tenant ready, after", since());
  await rehearsal.step("7. every site answers with a certificate of its own", () => sitesAnswer(fresh, 300));
  rehearsal.figure("every site answers the visitor, after", since());
  for (const tenant of names) {
    const serial = serialOf(fresh, urlOf(tenant));
    rehearsal.expect(`the certificate of ${urlOf(tenant)} is a new one`, serial, serial !== serials.get(tenant));
  }
  rehearsal.figure("written after the backup, and lost", "/data/late of acme's shop");
  for (const [tenant, files] of before) {
    await expectFiles(rehearsal, fresh.guest(tenant), files, 180);
  }
  rehearsal.figure("every file read and compared, after", since());

  for (const tenant of names) {
    await rehearsal.command(`8. npx kraft backup ${tenant} -s local`, () => tool("backup", tenant, "-s", "local"));
  }
  await rehearsal.command("8. npx kraft status -s local", () => tool("status", "-s", "local"));
  rehearsal.figure("it is over, after", since());
  for (const [tenant, time] of promised) {
    rehearsal.figure(`promised for ${tenant}, with full volumes over the homelab's line ("back with all")`, time);
  }
}
