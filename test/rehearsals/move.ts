// docs/moving.md, command by command, with real pods: a tenant moves from a home of the stack `homelab` to one of `proliant`, with
// their data. Both homes are up at once, each on an internet of its own, and share the bucket.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parse, parseDocument } from "yaml";
import type { KubernetesObject } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { messageOf } from "../../errors/failure.ts";
import { engineFolder } from "../../local/engine.ts";
import { router } from "../../local/home/addresses.ts";
import { keepS3Keys } from "../../local/s3.ts";
import { type Config, eventually } from "../cluster/embedded.ts";
import { type Ended, kraft } from "../fixtures/kraft/command.ts";
import { dnsServer } from "../fixtures/kraft/dns-server.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { OutsideBucket } from "./outside-bucket.ts";
import { operatorEnvironment, passphraseFile, pulumi } from "./pulumi-command.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { applications, bringBackLostPods, expectFiles, filesOf, moveIn, shop, writeFiles } from "./tenants.ts";
import { everyoneSees, Visitor } from "./visitor.ts";

const tenant = "acme";
const { namespace } = tenantNames(tenant);
const acme = { domains: ["acme.example"], size: "small", tier: "critical" };
const site = `https://${shop}.acme.example/`;

/** Mebibytes that each application writes, one file each. */
const files = 4;

/** The secrets that the ProLiant's stack file has of homelab. */
const sourceSecrets = ["kraft:sourceAccessKeyId", "kraft:sourceSecretAccessKey", "kraft:sourceTokenSeed"] as const;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const bucket = new OutsideBucket();
  rehearsal.removeAtEnd(() => bucket.remove());
  await bucket.start();
  const homelab = rehearsal.home(undefined, "homelab");
  const proliant = rehearsal.home(undefined, "proliant");
  for (const { directory } of [homelab, proliant]) {
    keepS3Keys(directory, bucket.keys);
  }
  const source = (state: object = {}): Config => ({
    "kraft:backup": bucket.location("homelab"),
    "kraft:tenants": { [tenant]: { ...acme, ...state } },
  });
  const empty = { "kraft:backup": bucket.location("proliant"), "kraft:tenants": {} };

  await rehearsal.step("homelab comes up, with one tenant", () => rehearsal.bringUp(homelab, source()));
  const before = await rehearsal.step("acme moves in: a shop and a database", () => filesWritten(homelab));
  // An operator has one passphrase for all files of a folder.
  mkdirSync(dirname(join(proliant.directory, passphraseFile)), { recursive: true });
  copyFileSync(join(homelab.directory, passphraseFile), join(proliant.directory, passphraseFile));
  await rehearsal.step("proliant comes up, without tenants", () => rehearsal.bringUp(proliant, empty));

  const folder = sideBySide(rehearsal, [homelab, proliant]);
  const environment = operatorEnvironment(proliant.directory);
  const tool = (...line: readonly string[]): Promise<Ended> => kraft([...line, "--directory", folder], environment);
  const old = new Visitor(homelab, site);
  const fresh = new Visitor(proliant, site);
  rehearsal.removeAtEnd(() => {
    old.leave();
    fresh.leave();
  });
  await everyoneSees([old]);

  await rehearsal.command("npx kraft backup acme -s homelab", () => tool("backup", tenant, "-s", "homelab"));
  const kraftSource = { "kraft:source": { stack: "homelab", ...bucket.location("homelab") } };
  writeIntoStackFile(proliant, kraftSource);
  await rehearsal.command("npx kraft move acme --key-policy -s proliant", () =>
    tool("move", tenant, "--key-policy", "-s", "proliant"),
  );
  const target = {
    ...empty,
    ...kraftSource,
    "kraft:tenants": { [tenant]: { ...acme, from: "homelab" } },
    ...(await secretsOfHomelab(rehearsal, homelab, proliant, bucket)),
  };
  await rehearsal.step("pulumi up -s proliant, with `from: homelab`", () => rehearsal.bringUp(proliant, target));
  const copying = Date.now();
  await rehearsal.command("npx kraft move acme copy", () => tool("move", tenant, "copy"));
  rehearsal.expect("calls that a visitor missed during the copy", old.missed(copying), old.sees);

  // Only the last backup has it.
  const late = await homelab
    .guest(tenant)
    .inPod(await homelab.guest(tenant).readyPod(shop), "sh", "-c", "echo late >/data/late; sync");
  assert.equal(late.code, 0, late.text);
  before[shop] = (await filesOf(homelab.guest(tenant)))[shop] ?? "";

  const cut = Date.now();
  await rehearsal.step("pulumi up -s homelab, with `state: suspended`", () =>
    homelab.bringUp(source({ state: "suspended" })),
  );
  await rehearsal.step(`kubectl --context kraft-homelab delete pods --all --namespace ${namespace}`, () =>
    deletePods(homelab),
  );
  await rehearsal.command("npx kraft move acme cutover", () => tool("move", tenant, "cutover"));
  rehearsal.figure("everything is on proliant, after the downtime began", clock((Date.now() - cut) / 1000));
  // `npm run local` ends when a site of the guest answers, and its pods are still those of the old nodes.
  await rehearsal.step("pulumi up -s proliant, and the old nodes deleted once the guest answers", () =>
    Promise.all([rehearsal.bringUp(proliant, target), deleteOldNodes(rehearsal, proliant, cut)]),
  );
  const lost = await rehearsal.step("every pod is ready", () => bringBackLostPods(proliant, tenant));
  rehearsal.figure("pods that waited until K3k's kubelets were started again", lost.join(", ") || "none");
  await everyoneSees([fresh], 300);
  const gone = old.away(cut)?.from ?? NaN;
  const came = cut + (fresh.backAfter(cut) ?? NaN) * 1000;
  rehearsal.figure(
    "the visitor missed the site, from the last page on homelab to the first on proliant",
    clock((came - gone) / 1000),
  );
  await expectFiles(rehearsal, proliant.guest(tenant), before, 180);

  await rehearsal.command("npx kraft backup acme -s proliant", () => tool("backup", tenant, "-s", "proliant"));
  await done(rehearsal, tool);
  await rehearsal.command("npx kraft status -s proliant", () => tool("status", "-s", "proliant"));
  const again = await homelab.bringUp(source()).then(
    () => "nothing: it was not refused",
    (error: unknown) => String(error),
  );
  rehearsal.expect(
    "homelab's guest cannot be started over its old volumes",
    again.includes("but acme moved to proliant") ? "refused" : again,
    again.includes("but acme moved to proliant"),
  );
}

/** Has the tenant move in on homelab. Returns the checksums of what was written, by application. */
async function filesWritten(home: EmbeddedHome): Promise<Record<string, string>> {
  await moveIn(home, tenant);
  for (const app of applications) {
    await writeFiles(home.guest(tenant), app, files);
  }
  return { ...(await filesOf(home.guest(tenant))) };
}

/** A folder with the stack files of several homes, as an operator has them. */
function sideBySide(rehearsal: Rehearsal, homes: readonly EmbeddedHome[]): string {
  const folder = mkdtempSync(join(tmpdir(), "kraft-move-"));
  rehearsal.removeAtEnd(() => {
    rmSync(folder, { recursive: true });
  });
  for (const home of homes) {
    symlinkSync(stackFile(home), join(folder, basename(stackFile(home))));
  }
  symlinkSync(join(engineFolder(homes[0]?.directory ?? ""), "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  return folder;
}

/** The stack file that the home's engine and the operator's tool read. */
function stackFile({ directory, stack }: EmbeddedHome): string {
  return join(engineFolder(directory), `Pulumi.${stack}.yaml`);
}

/** Adds keys to a stack file, as the operator does with an editor. */
function writeIntoStackFile(home: EmbeddedHome, keys: Config): void {
  const file = parseDocument(readFileSync(stackFile(home), "utf8"));
  for (const [key, value] of Object.entries(keys)) {
    file.setIn(["config", key], value);
  }
  writeFileSync(stackFile(home), file.toString());
}

/** The page's `pulumi config` commands. Returns the encrypted values as they are in the file of the ProLiant. */
async function secretsOfHomelab(
  rehearsal: Rehearsal,
  homelab: EmbeddedHome,
  proliant: EmbeddedHome,
  bucket: OutsideBucket,
): Promise<Config> {
  const seed = await pulumi(homelab.directory, ["config", "get", "-s", "homelab", "kraft:guestTokenSeed"]);
  assert.equal(seed.code, 0, seed.stderr);
  const values = [bucket.keys.accessKeyId, bucket.keys.secretAccessKey, seed.stdout.trim()];
  for (const [index, key] of sourceSecrets.entries()) {
    await rehearsal.command(`pulumi config set -s proliant --secret ${key}`, () =>
      pulumi(proliant.directory, ["config", "set", "-s", "proliant", "--secret", key], values[index]),
    );
  }
  const { config } = parse(readFileSync(stackFile(proliant), "utf8")) as { readonly config: Config };
  return Object.fromEntries(sourceSecrets.map((key) => [key, config[key]]));
}

/** Deletes every pod of the tenant on the host, and waits until those are gone, as kubectl does. */
async function deletePods(home: EmbeddedHome): Promise<void> {
  const pods = (): Promise<readonly KubernetesObject[]> => home.host().list(paths.pods.in(namespace));
  const deleted = await pods();
  for (const { metadata } of deleted) {
    await home.host().delete(paths.pods.named(namespace, metadata.name));
  }
  let left: readonly KubernetesObject[] = deleted;
  try {
    await eventually(
      "the pods are gone",
      async () => {
        const there = new Set((await pods()).map(({ metadata }) => metadata.uid));
        left = left.filter(({ metadata }) => there.has(metadata.uid));
        return left.length === 0 ? true : undefined;
      },
      180,
    );
  } catch (error) {
    assert.fail(`${messageOf(error)}: ${JSON.stringify(left)}`);
  }
}

/** The page's last step of the cutover, in the guest. */
async function deleteOldNodes(rehearsal: Rehearsal, proliant: EmbeddedHome, cut: number): Promise<void> {
  const nodes = await eventually(
    "the guest has its new node",
    async () => {
      const guest = await proliant.host().get(paths.clusters.named(namespace, tenant));
      if (guest?.status?.phase !== "Ready") {
        return undefined;
      }
      const names = (await (await proliant.guest(tenant).api()).list("/api/v1/nodes")).map(
        ({ metadata }) => metadata.name,
      );
      return names.some((name) => name.startsWith("proliant-")) ? names : undefined;
    },
    600,
  );
  rehearsal.figure("the guest answers, after the downtime began", clock((Date.now() - cut) / 1000));
  rehearsal.figure("nodes in the guest then", nodes.join(", "));
  const old = nodes.filter((name) => name.startsWith("optiplex-"));
  rehearsal.note(`$ kubectl delete node ${old.join(" ")}`);
  const api = await proliant.guest(tenant).api();
  for (const name of old) {
    await api.delete(`/api/v1/nodes/${name}`);
  }
}

/** The page's last command. The names lead where they lead in the proliant's own internet, which this machine cannot ask. */
async function done(rehearsal: Rehearsal, tool: (...line: readonly string[]) => Promise<Ended>): Promise<void> {
  const dns = await dnsServer({
    "ingress.proliant.kraft.test": { A: [router.publicAddress] },
    [`${tenant}.api.proliant.kraft.test`]: { CNAME: "ingress.proliant.kraft.test" },
    "acme.example": { A: [router.publicAddress] },
  });
  try {
    await rehearsal.command("npx kraft move acme done", () => tool("move", tenant, "done", "--resolver", dns.address));
  } finally {
    dns.close();
  }
}
