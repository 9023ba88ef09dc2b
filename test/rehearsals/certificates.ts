// Certificates from their first issue on, with the internet's authority and a second one whose certificates live for minutes:
// from staging to production, renewal in time and late, and names that an authority cannot confirm or refuses.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { internetNames, zoneFile } from "../../local/home/internet.ts";
import { writeFileWhole } from "../../local/state.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { SecondAuthority } from "./second-authority.ts";
import {
  accountAt,
  anotherCertificate,
  answers,
  certificateFor,
  certificateNotDue,
  certificateOf,
  expectTrust,
  ingresses,
  ingressFor,
  issueAnew,
  problemsOf,
  quietStatus,
  removeFromGuest,
  renewalOf,
  secretOf,
  visitorOf,
} from "./sites.ts";
import { moveIn, shop } from "./tenants.ts";
import { everyoneSees } from "./visitor.ts";

const tenant = "acme";
const { namespace } = tenantNames(tenant);
const domain = "acme.example";
const site = `${shop}.${domain}`;

/** Seconds that a certificate of the second authority is valid. cert-manager renews it when a third of them is left. */
const lifetime = 150;

/** Names of the tenant whose certificates cannot be issued: the authority has the one on its list, the other leads elsewhere. */
const refused = `refused.${domain}`;
const elsewhere = `elsewhere.${domain}`;

/** A home whose tenant has moved in. */
interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  readonly authority: SecondAuthority;
  /** Keys of the stack file from the change of authority on. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** In the order in which they come: until the change of authority certificates are valid for months. */
const parts: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "from staging to production": fromStagingToProduction,
  "a renewal in time": renewed,
  "a renewal that is late": renewedLate,
  "names that are not issued": notIssued,
  "a CNAME that is corrected": corrected,
};

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  const authority = new SecondAuthority(home);
  rehearsal.removeAtEnd(() => {
    authority.leave();
  });
  await rehearsal.step("a second authority starts", () => authority.start({ lifetime, refused: [refused] }));
  await rehearsal.step(`${tenant} moves in`, () => moveIn(home, tenant));
  const scene = { rehearsal, home, authority, config: { "kraft:issuer": { server: authority.directory } } };
  for (const [what, part] of Object.entries(parts)) {
    await rehearsal.part(what, () => part(scene));
  }
  await quietStatus(home, 300);
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** docs/first-steps.md, step 8: the visitors' browsers trust the second authority only, as they do Let's Encrypt's production. */
async function fromStagingToProduction({ rehearsal, home, authority, config }: Scene): Promise<void> {
  const tolerant = visitorOf(rehearsal, home, site);
  const browser = visitorOf(rehearsal, home, site, ["--cacert", authority.roots]);
  await everyoneSees([tolerant]);
  rehearsal.expect("a browser that trusts the second authority opens the site", String(browser.sees), !browser.sees);
  const start = Date.now();
  await rehearsal.step("kraft:issuer is the second authority, pulumi up", () => home.bringUp(config));
  await accountAt(home, authority.host);
  rehearsal.figure("cert-manager has an account there, by itself", "yes");
  await sleep(10_000);
  rehearsal.expect("the certificate is still the old one", String(browser.sees), !browser.sees);
  const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  const named = [
    ...status.stdout.matchAll(
      /kubectl annotate secret (\S+) --namespace (\S+) --overwrite cert-manager\.io\/issuer-name=former/g,
    ),
  ].map(([, name = "", within = ""]) => `${within}/${name}`);
  rehearsal.expect("status names them, with the command", named.join(", "), named.includes(`${namespace}/${shop}-tls`));
  const all = await issueAnew(rehearsal, home);
  rehearsal.expect(
    "the command reaches all that status names",
    all.join(", "),
    named.every((name) => all.includes(name)),
  );
  const told = Date.now();
  await everyoneSees([browser], 120);
  rehearsal.figure("a browser opens the site, after the command", clock((Date.now() - told) / 1000));
  expectTrust(rehearsal, "calls that who trusts both missed since the change", tolerant, start);
  await quietStatus(home, 60);
  tolerant.leave();
  browser.leave();
}

async function renewed({ rehearsal, home, authority }: Scene): Promise<void> {
  const visitor = visitorOf(rehearsal, home, site, ["--cacert", authority.roots]);
  const before = certificateOf(home, site);
  const start = Date.now();
  const after = await rehearsal.step("the certificate is renewed", () =>
    anotherCertificate(home, site, before, lifetime * 2),
  );
  const left = (before.validToDate.getTime() - after.validFromDate.getTime()) / 1000;
  rehearsal.expect("renewed before it ended, with seconds left", String(Math.round(left)), left > 0);
  expectTrust(rehearsal, "calls that visitors missed meanwhile", visitor, start);
  visitor.leave();
}

async function renewedLate({ rehearsal, home, authority }: Scene): Promise<void> {
  const visitor = visitorOf(rehearsal, home, site, ["--cacert", authority.roots]);
  const before = await certificateNotDue(home, site, 40, lifetime * 2);
  const start = Date.now();
  await rehearsal.step("the authority does not answer when the next renewal is due, for 15 seconds", async () => {
    authority.pause();
    await sleep(Math.max(0, renewalOf(before) + 15_000 - Date.now()));
    authority.resume();
  });
  const back = Date.now();
  const after = await rehearsal.step("the certificate is renewed", () =>
    anotherCertificate(home, site, before, lifetime * 2),
  );
  const late = (after.validFromDate.getTime() - back) / 1000;
  rehearsal.figure("renewed after the authority answered again", clock(late));
  const left = Math.round((before.validToDate.getTime() - after.validFromDate.getTime()) / 1000);
  rehearsal.figure("seconds that the old one had left", String(left));
  rehearsal.figure("calls that visitors missed meanwhile", `${visitor.missed(start)} ${visitor.reasons(start)}`.trim());
  visitor.leave();
}

/** Two names whose certificates do not come. They stay while the next part runs, so that it shows whether others' do. */
async function notIssued({ rehearsal, home }: Scene): Promise<void> {
  record(home, `${elsewhere}. 5 IN CNAME ${internetNames.site}.`);
  const api = await home.guest(tenant).api();
  await rehearsal.step(`an Ingress whose CNAME leads elsewhere, and one that the authority refuses`, async () => {
    for (const host of [elsewhere, refused]) {
      await api.create(ingresses, ingressFor(host));
    }
    await eventually("a reason", () => challengeReason(home, elsewhere), 90);
    await eventually("a refusal", () => failureOf(home, refused), 90);
  });
  const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  for (const [host, why] of [
    [elsewhere, "wrong status code '404'"],
    [refused, "is a forbidden domain"],
  ] as const) {
    const said = problemsOf(status.stdout)
      .split("\n")
      .find((line) => line.includes(`${namespace}/${secretOf(host)}: `));
    rehearsal.expect(`status of ${host}`, said?.trim() ?? "nothing", said?.includes(why) === true);
  }
}

/** The tenant lets the one name lead here, and gives the other up. */
async function corrected({ rehearsal, home, authority }: Scene): Promise<void> {
  await removeFromGuest(home, tenant, `${ingresses}/${refused}`);
  const start = Date.now();
  record(home);
  await rehearsal.step("the CNAME leads here", () =>
    eventually("it answers", () => Promise.resolve(answers(home, elsewhere, authority.roots) ? true : undefined), 400),
  );
  rehearsal.figure("it answers, after the CNAME was changed", clock((Date.now() - start) / 1000));
  await removeFromGuest(home, tenant, `${ingresses}/${elsewhere}`);
  await quietStatus(home, 60);
}

/** Why a certificate was not issued. */
async function failureOf(home: EmbeddedHome, host: string): Promise<string | undefined> {
  const issuing = condition((await certificateFor(home, tenant, host))?.status, "Issuing");
  return issuing?.status === "False" ? issuing.message : undefined;
}

/** What a challenge of a host waits for. */
async function challengeReason(home: EmbeddedHome, host: string): Promise<string | undefined> {
  const challenges = await home.host().list(paths.challenges.in(namespace));
  const reason = challenges.find(({ spec }) => spec?.dnsName === host)?.status?.reason;
  return reason?.includes("code") === true ? reason : undefined;
}

/** Records of the internet's name server in place of those that this function wrote before. */
function record(home: EmbeddedHome, ...records: readonly string[]): void {
  const file = zoneFile(home.directory);
  const kept = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(`${elsewhere}. `))
    .map((line) =>
      line.replace(/(SOA \S+ \S+ )(\d+)/, (_, start: string, serial: string) => `${start}${Number(serial) + 1}`),
    );
  writeFileWhole(file, `${[...kept, ...records].join("\n")}\n`, 0o644);
}
