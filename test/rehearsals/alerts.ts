// docs/monitoring.md with real pods: a wall is widened by hand, a backup fails, a site goes away and a certificate is not renewed, and
// a receiver outside of the home hears of each, once and in time, and when it is over.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Volume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { type AlertRule, alertRules } from "../../components/plan/monitoring/rules.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { asRoot } from "../../local/root.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { AlertReceiver, alerts, allowance, type Told } from "./alert-receiver.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { SecondAuthority } from "./second-authority.ts";
import { database, moveIn, shop } from "./tenants.ts";

const tenant = "acme";
const neighbour = "blue";
const { namespace } = tenantNames(tenant);

/** The home's own sample application, a Deployment without a volume. */
const sample = { app: "sample", host: `www.${tenant}.example` } as const;
const shopHost = `${shop}.${tenant}.example`;

const config = { "kraft:alerts": alerts };

/** Seconds that a certificate is valid which nobody has renewed for eighty days of its ninety. */
const shortLifetime = 9 * 24 * 3600;

interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  readonly receiver: AlertReceiver;
  readonly authority: SecondAuthority;
}

/** Something that goes wrong, and is mended. */
interface Fault {
  readonly alert: string;
  /** Labels of the alert that say whom and what it touches. */
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds between two questions of Prometheus, by which it may notice later. */
  readonly asked: number;
  /** @returns when it began, in milliseconds since 1970 */
  readonly begin: (scene: Scene) => Promise<number>;
  readonly mend: (scene: Scene) => Promise<void>;
}

const faults: readonly Fault[] = [
  {
    alert: "CertificateNotRenewed",
    labels: { tenant, host: shopHost },
    asked: 30,
    begin: nobodyRenews,
    mend: async ({ home }) => {
      await issueAnew(home);
      await eventually("a certificate that lasts", () => Promise.resolve(daysLeft(home) > 10 ? true : undefined), 180);
    },
  },
  {
    alert: "WallChanged",
    labels: { tenant: neighbour, object: `NetworkPolicies of ${tenantNames(neighbour).namespace}` },
    asked: 60,
    begin: async ({ home }) => {
      // Not by `merge`, which writes under Kraft's own name: a preview takes that for Kraft's work.
      await home.host().patch(wall, [{ op: "add", path: "/spec/ingress", value: [{}] }]);
      return Date.now();
    },
    mend: async ({ rehearsal, home }) => {
      const printed = await home.bringUp(config);
      rehearsal.note(/^.*\bupdated\b.*$/m.exec(printed)?.[0] ?? printed);
    },
  },
  {
    alert: "BackupFailed",
    labels: { tenant },
    asked: 300,
    begin: async (scene) => {
      await setImmutable(scene, true);
      await scene.rehearsal.command(`npx kraft backup ${tenant}`, () => scene.home.tool("backup", tenant), 1);
      return Date.now();
    },
    mend: async (scene) => {
      await setImmutable(scene, false);
      await scene.rehearsal.command(`npx kraft backup ${tenant}`, () => scene.home.tool("backup", tenant));
    },
  },
  {
    alert: "SiteDown",
    labels: { tenant, host: sample.host },
    asked: 30,
    begin: async ({ home }) => {
      await scaleSample(home, 0);
      return Date.now();
    },
    mend: ({ home }) => scaleSample(home, 1),
  },
];

const wall = `/apis/networking.k8s.io/v1/namespaces/${tenantNames(neighbour).namespace}/networkpolicies/kraft-default-deny`;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const scene = await begin(rehearsal);
  const begun = new Map<Fault, number>();
  for (const fault of faults) {
    begun.set(fault, await rehearsal.step(`a fault that ${fault.alert} tells of`, () => fault.begin(scene)));
  }
  for (const [fault, at] of begun) {
    await expectTold(scene, fault, at);
  }
  const mended = new Map<Fault, number>();
  for (const fault of faults) {
    await rehearsal.step(`what ${fault.alert} told of is mended`, () => fault.mend(scene));
    mended.set(fault, Date.now());
  }
  for (const [fault, at] of mended) {
    await expectTakenBack(scene, fault, at);
  }
  expectNothingElse(scene);
  await rehearsal.command("npx kraft status -s local", () => scene.home.tool("status", "-s", "local"));
}

async function begin(rehearsal: Rehearsal): Promise<Scene> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up, with three tenants", () => rehearsal.bringUp(home, config));
  const receiver = new AlertReceiver(home);
  const authority = new SecondAuthority(home);
  rehearsal.removeAtEnd(() => {
    receiver.leave();
    authority.leave();
  });
  await rehearsal.step(`${tenant} moves in`, () => moveIn(home, tenant));
  await eventually("the shop answers", () => Promise.resolve(visited(home)), 180);
  await eventually(
    "a backup of everything",
    async () => ((await home.tool("backup", tenant)).code === 0 ? true : undefined),
    180,
  );
  return { rehearsal, home, receiver, authority };
}

function visited(home: EmbeddedHome): true | undefined {
  return home.visited(`https://${shopHost}/`).startsWith("curl ended") ? undefined : true;
}

/**
 * The shop gets a certificate with nine days left, from an authority that is gone before anything is due: as one of ninety days
 * that was not renewed for eighty-one.
 */
async function nobodyRenews({ rehearsal, home, authority }: Scene): Promise<number> {
  await authority.start({ lifetime: shortLifetime, refused: [] });
  await home.bringUp({ ...config, "kraft:issuer": { server: authority.directory } });
  await issueAnew(home);
  await eventually("the short certificate", () => Promise.resolve(daysLeft(home) < 10 ? true : undefined), 180);
  const begun = Date.now();
  authority.leave();
  rehearsal.figure("days that the certificate has left", daysLeft(home).toFixed(1));
  await home.bringUp(config);
  return begun;
}

/** Waits for the message about a fault: in time, once, about the right tenant, with its page. */
async function expectTold(
  { rehearsal, receiver }: Scene,
  { alert, labels, asked }: Pick<Fault, "alert" | "labels" | "asked">,
  begun: number,
): Promise<void> {
  const rule = ruleOf(alert);
  const due = secondsOf(rule.for);
  const latest = due + asked + allowance;
  const found = (): Told[] => receiver.told.filter((told) => told.status === "firing" && isAbout(told, alert, labels));
  await eventually(`${alert} is told`, () => Promise.resolve(found()[0]), latest + 300).catch(() => undefined);
  const all = found();
  const [first] = all;
  const after = first === undefined ? undefined : (first.at - begun) / 1000;
  rehearsal.expect(
    `${alert}: told after, where its rule says ${clock(due)}`,
    after === undefined ? "never" : `${clock(after)}, ${first?.annotations["summary"] ?? "?"}`,
    after !== undefined && after >= due - asked && after <= latest,
  );
  rehearsal.expect(`${alert}: times`, String(all.length), all.length === 1);
  rehearsal.expect(
    `${alert}: page`,
    first?.annotations["runbook"] ?? "none",
    first?.annotations["runbook"] === rule.runbook,
  );
}

async function expectTakenBack(
  { rehearsal, receiver }: Scene,
  { alert, labels }: Pick<Fault, "alert" | "labels">,
  mended: number,
): Promise<void> {
  const over = (): Told | undefined =>
    receiver.told.find((told) => told.status === "resolved" && isAbout(told, alert, labels));
  const told = await eventually(`${alert} is taken back`, () => Promise.resolve(over()), 900).catch(() => undefined);
  rehearsal.expect(
    `${alert}: taken back after`,
    told === undefined ? "never" : clock((told.at - mended) / 1000),
    told !== undefined,
  );
}

function expectNothingElse({ rehearsal, receiver }: Scene): void {
  const others = receiver.told.filter((told) => !faults.some(({ alert, labels }) => isAbout(told, alert, labels)));
  const texts = others.map(
    ({ labels, annotations }) => `${labels["alertname"] ?? "?"} ${annotations["summary"] ?? ""}`,
  );
  rehearsal.expect("messages about anything else", texts.join(", ") || "none", others.length === 0);
}

function ruleOf(alert: string): AlertRule {
  return alertRules.find((each) => each.alert === alert) ?? assert.fail(alert);
}

function isAbout({ labels }: Told, alert: string, wanted: Readonly<Record<string, string>>): boolean {
  return labels["alertname"] === alert && Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** Of a duration as Prometheus writes it. */
function secondsOf(duration: string): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  const [, amount, unit = ""] = /^(\d+)([smh])$/.exec(duration) ?? assert.fail(duration);
  return Number(amount) * (units[unit] ?? assert.fail(duration));
}

/** docs/runbooks/certificate-not-renewed.md: has the shop's certificate issued anew. */
async function issueAnew(home: EmbeddedHome): Promise<void> {
  await home.host().merge(paths.secrets.named(namespace, `${shop}-tls`), {
    metadata: { annotations: { "cert-manager.io/issuer-name": "former" } },
  });
}

/** Days until the certificate ends that the shop shows a visitor. */
function daysLeft(home: EmbeddedHome): number {
  const call = `openssl s_client -connect ${shopHost}:443 -servername ${shopHost} </dev/null 2>/dev/null | openssl x509 -noout -enddate`;
  const [, ends = ""] = home.atVisitor("sh", "-c", call).trim().split("=");
  return (Date.parse(ends) - Date.now()) / 86_400_000;
}

async function scaleSample(home: EmbeddedHome, replicas: number): Promise<void> {
  const api = await home.guest(tenant).api();
  await api.merge(`/apis/apps/v1/namespaces/default/deployments/${sample.app}`, { spec: { replicas } });
}

/** Whether the bucket takes anything more of the database's volume: its folder below the S3 server's may not be written to. */
async function setImmutable({ rehearsal, home }: Scene, immutable: boolean): Promise<void> {
  const volumes = await home.host().list<Volume>(paths.volumes.all);
  const claimed = volumes.find(({ status }) => {
    const { namespace: of, pvcName = "" } = status?.kubernetesStatus ?? {};
    return of === namespace && pvcName.includes(database);
  });
  const name = claimed?.metadata.name ?? assert.fail(`no volume of ${database}`);
  const found = spawnSync("find", [join(home.directory, "s3"), "-type", "d", "-name", name], { encoding: "utf8" });
  const folders = found.stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "");
  assert.notEqual(folders.length, 0, `no backup of ${name} below ${home.directory}/s3`);
  const set = (flag: "+i" | "-i"): void => {
    asRoot(["chattr", "-R", flag, ...folders], "The bucket's folder must be changed");
  };
  set(immutable ? "+i" : "-i");
  if (immutable) {
    // Nobody could remove the home otherwise.
    rehearsal.removeAtEnd(() => {
      set("-i");
    });
  }
}
