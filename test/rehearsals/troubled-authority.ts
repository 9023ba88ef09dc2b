// Certificates while the line to the internet is cut, and at an authority that limits orders; part of the rehearsal `domains`.
import { setTimeout as sleep } from "node:timers/promises";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { router } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { domain, namespace, other, type Scene, site, tenant, tenantsWith } from "./domain-scene.ts";
import { clock } from "./rehearsal.ts";
import {
  accountAt,
  anotherCertificate,
  answers,
  certificateFor,
  certificateNotDue,
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
import { everyoneSees } from "./visitor.ts";

/** Seconds that a certificate of the second authority is valid. cert-manager renews it when a third of them is left. */
const lifetime = 360;

/** Seconds before and after the moment at which a certificate is due that the line to the internet is cut. */
const cut = { before: 50, after: 60 } as const;

export async function shortLives({ rehearsal, home, authority, limiting, config }: Scene): Promise<void> {
  await authority.start({ lifetime, refused: [] });
  await limiting.start(authority.host);
  await home.bringUp({ ...config, ...tenantsWith(other), "kraft:issuer": { server: limiting.directory } });
  await accountAt(home, limiting.host);
  const browser = visitorOf(rehearsal, home, site, ["--cacert", authority.roots]);
  await issueAnew(rehearsal, home);
  await everyoneSees([browser], 120);
  browser.leave();
  await quietStatus(home, 120);
}

export async function lineCut({ rehearsal, home, authority }: Scene): Promise<void> {
  const visitor = visitorOf(rehearsal, home, site, ["--cacert", authority.roots]);
  const before = await certificateNotDue(home, site, cut.before + 20, lifetime);
  const due = renewalOf(before);
  await sleep(Math.max(0, due - cut.before * 1000 - Date.now()));
  const start = Date.now();
  await rehearsal.step("the line to the internet is cut", async () => {
    line(home, "down");
    await sleep(due + 15_000 - Date.now());
    const status = await home.tool("status", "-s", "local");
    rehearsal.note(`${status.stdout}${status.stderr}`);
    rehearsal.figure("status, 15 seconds after the certificate was due", problemsOf(status.stdout));
    await sleep(due + cut.after * 1000 - Date.now());
    line(home, "up");
  });
  const back = Date.now();
  rehearsal.figure("the line was cut for", clock((back - start) / 1000));
  await everyoneSees([visitor], 60);
  rehearsal.figure("the site answers again, after the line is back", clock(visitor.backAfter(back) ?? NaN));
  const after = await anotherCertificate(home, site, before, lifetime);
  rehearsal.figure("renewed, after the line is back", clock((after.validFromDate.getTime() - back) / 1000));
  const left = (before.validToDate.getTime() - after.validFromDate.getTime()) / 1000;
  rehearsal.expect("seconds that the old one had left", String(Math.round(left)), left > 0);
  expectTrust(rehearsal, "calls that were missed since for a certificate", visitor, back);
  visitor.leave();
  await quietStatus(home, 120);
}

export async function limitedOrders({ rehearsal, home, authority, limiting }: Scene): Promise<void> {
  const host = `limited.${domain}`;
  const free = `free.${domain}`;
  const api = await home.guest(tenant).api();
  await certificateNotDue(home, site, cut.before + 20, lifetime);
  limiting.limit();
  try {
    await api.create(ingresses, ingressFor(host));
    await eventually(
      "a failure",
      async () => {
        const issuing = condition((await certificateFor(home, tenant, host))?.status, "Issuing");
        return issuing?.status === "False" ? issuing.message : undefined;
      },
      120,
    );
    const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
    const said =
      problemsOf(status.stdout)
        .split("\n")
        .find((text) => text.includes(secretOf(host)))
        ?.trim() ?? "nothing";
    rehearsal.expect(`status of ${host}`, said, said.includes("rateLimited"));
  } finally {
    limiting.unlimit();
  }
  rehearsal.figure("orders that the authority refused", String(limiting.refused));
  const lifted = Date.now();
  await api.create(ingresses, ingressFor(free));
  await eventually(free, () => Promise.resolve(answers(home, free, authority.roots) ? true : undefined), 120);
  rehearsal.figure("another name answers, after the limit is over", clock((Date.now() - lifted) / 1000));
  await sleep(60_000);
  rehearsal.figure(
    "the name answers by itself, a minute and more after it",
    answers(home, host, authority.roots) ? "yes" : "no",
  );
  const name = (await certificateFor(home, tenant, host))?.metadata.name ?? "";
  rehearsal.note(`$ kubectl --namespace ${namespace} delete certificate ${name}`);
  const told = Date.now();
  await home.host().delete(paths.certificates.named(namespace, name));
  await eventually(host, () => Promise.resolve(answers(home, host, authority.roots) ? true : undefined), 120);
  rehearsal.figure("it answers, after its Certificate was deleted", clock((Date.now() - told) / 1000));
  for (const each of [host, free]) {
    await removeFromGuest(home, tenant, `${ingresses}/${each}`);
  }
}

/** The line from the router to the internet. */
function line(home: EmbeddedHome, state: "down" | "up"): void {
  const { status, stderr } = runInMachine(home.directory, router.name, "ip", "link", "set", "eth1", state);
  if (status !== 0) {
    throw new Error(stderr);
  }
}
