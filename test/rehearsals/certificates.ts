// Certificates that live for three minutes: they are renewed while visitors look, also after their authority was away when
// they were due; many are asked for at once; and a domain is taken from its tenant.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { provider } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { keepRoots } from "../../local/home/internet.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { moveIn, shop } from "./tenants.ts";
import { Visitor } from "./visitor.ts";

const tenant = "acme";
const { namespace } = tenantNames(tenant);
const domain = "acme.example";
const site = `${shop}.${domain}`;

/** Seconds that a certificate is valid. cert-manager renews it when a third of them is left. */
const lifetime = 180;
const renewedAfter = (lifetime / 3) * 2;

/** Ingresses that are made at once. */
const many = 20;

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  await rehearsal.step(`its authority issues certificates for ${lifetime} seconds`, () => shorten(home));
  await rehearsal.step(`${tenant} moves in`, () => moveIn(home, tenant));
  const visitor = new Visitor(home, `https://${site}/`);
  rehearsal.removeAtEnd(() => {
    visitor.leave();
    return Promise.resolve();
  });
  await eventually("the site answers", () => Promise.resolve(visitor.sees ? true : undefined), 180);
  await renewed(rehearsal, home, visitor);
  await renewedLate(rehearsal, home, visitor);
  await manyAtOnce(rehearsal, home);
  await domainTaken(rehearsal, home);
}

/** Starts the authority again with short certificates, as another one whose roots visitors trust too. */
async function shorten(home: EmbeddedHome): Promise<void> {
  const file = "/etc/pebble.json";
  onAuthority(
    home,
    `sed -i 's/"pebble":{/"pebble":{"certificateValidityPeriod":${lifetime},/' ${file}; grep -q ${lifetime} ${file}`,
  );
  signal(home, "KILL");
  await eventually("the authority", () => {
    try {
      keepRoots(home.directory);
      return Promise.resolve(true);
    } catch {
      // It is starting.
      return Promise.resolve(undefined);
    }
  });
  // It has forgotten the account of the old one, which cert-manager looks for when it starts.
  const pods = labelled(paths.pods.in(platformNamespaces.certManager), "app.kubernetes.io/component=controller");
  for (const { metadata } of await home.host().list(pods)) {
    await home.host().delete(paths.pods.named(platformNamespaces.certManager, metadata.name));
  }
}

async function renewed(rehearsal: Rehearsal, home: EmbeddedHome, visitor: Visitor): Promise<void> {
  const before = certificateOf(home);
  const start = Date.now();
  await rehearsal.step("the certificate is renewed", () => another(home, before));
  const left = (before.validToDate.getTime() - Date.now()) / 1000;
  rehearsal.expect("renewed before it ends, with seconds left", String(Math.round(left)), left > 0);
  const missed = visitor.missed(start);
  rehearsal.expect("calls that visitors missed meanwhile", missed, missed.startsWith("0 of"));
}

async function renewedLate(rehearsal: Rehearsal, home: EmbeddedHome, visitor: Visitor): Promise<void> {
  const before = certificateOf(home);
  const start = Date.now();
  const issuedAt = before.validFromDate.getTime();
  await rehearsal.step("the authority does not answer when the next renewal is due, for 30 seconds", async () => {
    signal(home, "STOP");
    await sleep(Math.max(0, issuedAt + (renewedAfter + 30) * 1000 - Date.now()));
    signal(home, "CONT");
  });
  const back = Date.now();
  await rehearsal.step("the certificate is renewed", () => another(home, before));
  rehearsal.figure("renewed after the authority answered again", clock((Date.now() - back) / 1000));
  rehearsal.figure("calls that visitors missed meanwhile", visitor.missed(start));
}

async function manyAtOnce(rehearsal: Rehearsal, home: EmbeddedHome): Promise<void> {
  const api = await home.guest(tenant).api();
  const hosts = Array.from({ length: many }, (_, index) => `n${index + 1}.${domain}`);
  const start = Date.now();
  await rehearsal.step(`${many} Ingresses at once`, async () => {
    await Promise.all(hosts.map((host) => api.create(ingresses, ingressFor(host))));
    for (const host of hosts) {
      await eventually(`${host} answers`, () => Promise.resolve(answers(home, host) ? true : undefined), 300);
    }
  });
  rehearsal.figure(`all ${many} answered with certificates of their own after`, clock((Date.now() - start) / 1000));
  for (const host of hosts) {
    await api.delete(`${ingresses}/${host}`);
  }
}

async function domainTaken(rehearsal: Rehearsal, home: EmbeddedHome): Promise<void> {
  const tenants = (own: readonly string[], others: readonly string[]) => ({
    "kraft:tenants": {
      [tenant]: { domains: own, size: "small", tier: "critical" },
      blue: { domains: others, size: "medium" },
      coral: { domains: ["coral.example"], size: "small" },
    },
  });
  await rehearsal.step(`${domain} is taken from ${tenant}`, () =>
    home.bringUp(tenants(["other.example"], ["blue.example"])),
  );
  rehearsal.expect("it is still served", site, answers(home, site));
  const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  const command = /kubectl delete ingress (\S+) --namespace (\S+)/g;
  const found = [...status.stdout.matchAll(command)];
  rehearsal.expect("status names the Ingresses that serve it", String(found.length), found.length >= 1);
  const refusal = await home.bringUp(tenants(["other.example"], ["blue.example", domain])).then(
    () => "it went through",
    (error: unknown) => String(error),
  );
  rehearsal.expect(
    `${domain} is refused to blue until then`,
    refusal.includes("a domain that no other tenant's Ingress serves") ? "refused" : refusal,
    refusal.includes("a domain that no other tenant's Ingress serves"),
  );
  for (const [line, name = "", within = ""] of found) {
    rehearsal.note(`$ ${line}`);
    await home.host().delete(`/apis/networking.k8s.io/v1/namespaces/${within}/ingresses/${name}`);
  }
  await eventually("nobody serves it", () => Promise.resolve(answers(home, site) ? undefined : true), 60);
  await eventually(
    "its certificate is gone",
    async () => ((await home.host().list(paths.certificates.in(namespace))).length === 0 ? true : undefined),
    60,
  );
  rehearsal.figure("the Ingress, the certificate and the answer are gone", "yes");
  await rehearsal.step(`${domain} is given to blue`, () =>
    home.bringUp(tenants(["other.example"], ["blue.example", domain])),
  );
  // K3k tries to copy the guest's Ingress to the host again and again.
  await sleep(60_000);
  rehearsal.expect("a minute later it is still not served", site, !answers(home, site));
}

const ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

function ingressFor(host: string): object {
  const backend = { service: { name: shop, port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: host, annotations: { "cert-manager.io/cluster-issuer": "kraft-issuer" } },
    spec: {
      ingressClassName: "traefik",
      tls: [{ hosts: [host], secretName: `${host.replaceAll(".", "-")}-tls` }],
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

function answers(home: EmbeddedHome, host: string): boolean {
  return !home.visited(`https://${host}/`).startsWith("curl ended");
}

function certificateOf(home: EmbeddedHome): X509Certificate {
  const text = home.atVisitor(
    "sh",
    "-c",
    `openssl s_client -connect ${site}:443 -servername ${site} </dev/null 2>/dev/null | openssl x509`,
  );
  return new X509Certificate(text);
}

/** Waits for another certificate of the site. */
async function another(home: EmbeddedHome, before: X509Certificate): Promise<X509Certificate> {
  return eventually(
    "another certificate",
    () => {
      const now = certificateOf(home);
      return Promise.resolve(now.serialNumber === before.serialNumber ? undefined : now);
    },
    lifetime * 2,
  );
}

function signal(home: EmbeddedHome, name: "CONT" | "KILL" | "STOP"): void {
  const isPebble = '[ "$(cat $process/comm)" = pebble ]';
  onAuthority(home, `for process in /proc/[0-9]*; do ${isPebble} && kill -${name} \${process#/proc/}; done; true`);
}

function onAuthority(home: EmbeddedHome, script: string): void {
  const { status, stderr } = runInMachine(home.directory, provider.name, "sh", "-c", script);
  assert.equal(status, 0, stderr);
}
