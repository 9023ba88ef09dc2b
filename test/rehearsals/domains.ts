// What happens to a tenant's names: twenty at once, one with a certificate of the tenant's own, one whose domain is taken and given
// to somebody else; and to their certificates while the line to the internet is cut, and at an authority that limits orders.
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { condition } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { domain, namespace, other, pageOf, type Scene, site, tenant } from "./domain-scene.ts";
import { LimitingAuthority } from "./limiting-authority.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { SecondAuthority } from "./second-authority.ts";
import {
  answers,
  ingresses,
  ingressFor,
  problemsOf,
  quietStatus,
  removeFromGuest,
  secretOf,
  visitorOf,
} from "./sites.ts";
import { domainTaken } from "./taken-domain.ts";
import { moveIn, shop, writeFiles } from "./tenants.ts";
import { limitedOrders, lineCut, shortLives } from "./troubled-authority.ts";

/** How many Ingresses come at once, each with a certificate of its own. */
const atOnce = 20;

/** In the order in which they come: from the change of authority on certificates are valid for minutes. */
const parts: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "twenty Ingresses at once": twentyAtOnce,
  "a TLS Secret of the tenant's own": ownSecret,
  "a domain that is taken and given away": domainTaken,
  "an authority whose certificates live for minutes": shortLives,
  "the line is cut while a certificate is due": lineCut,
  "an authority that limits orders": limitedOrders,
};

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  for (const name of [tenant, other]) {
    await rehearsal.step(`${name} moves in`, async () => {
      await moveIn(home, name);
      await writeFiles(home.guest(name), shop, 1);
    });
  }
  await runParts(rehearsal, home);
}

/** All parts, in a home whose tenants have moved in. */
export async function runParts(rehearsal: Rehearsal, home: EmbeddedHome, config: Scene["config"] = {}): Promise<void> {
  const authority = new SecondAuthority(home);
  const limiting = new LimitingAuthority(home);
  rehearsal.removeAtEnd(() => {
    limiting.leave();
    authority.leave();
  });
  const came = (name: string): boolean => pageOf(home, `${shop}.${name}.example`) === `the page of ${name}\n`;
  await eventually("both sites", () => Promise.resolve([tenant, other].every(came) ? true : undefined), 180);
  for (const [what, part] of Object.entries(parts)) {
    await rehearsal.part(what, () => part({ rehearsal, home, authority, limiting, config }));
  }
  await quietStatus(home, 300);
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

async function twentyAtOnce({ rehearsal, home }: Scene): Promise<void> {
  const hosts = Array.from({ length: atOnce }, (_, index) => `n${index + 1}.${domain}`);
  const browser = visitorOf(rehearsal, home, site);
  const api = await home.guest(tenant).api();
  const start = Date.now();
  await Promise.all(hosts.map((host) => api.create(ingresses, ingressFor(host))));
  await sleep(20_000);
  const status = await rehearsal.command(
    "npx kraft status -s local, 20 seconds later",
    () => home.tool("status", "-s", "local"),
    1,
  );
  const named = problemsOf(status.stdout)
    .split("\n")
    .filter((line) => hosts.some((host) => line.includes(secretOf(host))));
  rehearsal.figure("certificates of these that status names then", String(named.length));
  const issued: number[] = [];
  await eventually(
    "every certificate",
    async () => {
      const found = await home.host().list(paths.certificates.in(namespace));
      const ready = found.filter(
        ({ spec, status: state }) =>
          hosts.some((host) => spec?.dnsNames?.includes(host)) && condition(state, "Ready")?.status === "True",
      );
      while (issued.length < ready.length) {
        issued.push((Date.now() - start) / 1000);
      }
      return issued.length === atOnce ? true : undefined;
    },
    900,
  ).finally(() => {
    rehearsal.figure(
      "issued: the first, half of them, the last",
      [issued[0], issued[atOnce / 2 - 1], issued[atOnce - 1]]
        .map((seconds) => (seconds === undefined ? "not" : clock(seconds)))
        .join(", "),
    );
  });
  // Traefik reads a certificate up to two seconds after it is there.
  const last = Date.now();
  await Promise.all(
    hosts.map((host) =>
      eventually(`an answer of ${host}`, () => Promise.resolve(answers(home, host) ? true : undefined), 30),
    ),
  );
  rehearsal.figure("every name answers, after the last certificate", clock((Date.now() - last) / 1000));
  rehearsal.figure(
    "calls that the tenant's other site missed",
    `${browser.missed(start)} ${browser.reasons(start)}`.trim(),
  );
  browser.leave();
  for (const host of hosts) {
    await removeFromGuest(home, tenant, `${ingresses}/${host}`);
  }
  await quietStatus(home, 120);
}

/** The tenants' sheet says that certificates of their own cannot be served. */
export async function ownSecret({ rehearsal, home }: Scene): Promise<void> {
  const host = `own.${domain}`;
  const name = secretOf(host);
  const [certificate = "", key = ""] = selfSigned(home, host);
  const api = await home.guest(tenant).api();
  await api.create("/api/v1/namespaces/default/secrets", {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name, namespace: "default" },
    stringData: { "tls.crt": certificate, "tls.key": key },
  });
  const asked = ingressFor(host);
  const ingress = { ...asked, metadata: { name: host } };
  const warning = await warningOf(home, `${ingresses}?dryRun=All`, ingress);
  rehearsal.expect(
    "what kubectl apply says",
    warning,
    warning.includes("no certificate is issued without the annotation"),
  );
  await api.create(ingresses, ingress);
  await sleep(15_000);
  // Not even a visitor who trusts nothing in particular gets it.
  const page = home.atVisitor("sh", "-c", `curl -sSk --max-time 5 https://${host}/ 2>&1 || true`);
  rehearsal.expect("what a visitor gets of it", page.trim(), page.includes("unrecognized name"));
  await api.apply(`${ingresses}/${host}`, asked, "tenant", true);
  const start = Date.now();
  await eventually("it answers", () => Promise.resolve(answers(home, host) ? true : undefined), 120);
  rehearsal.figure("with the annotation a browser opens it, after", clock((Date.now() - start) / 1000));
  const secret = await api.get<{ readonly data?: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/default/secrets/${name}`,
  );
  const kept = Buffer.from(secret?.data?.["tls.crt"] ?? "", "base64").toString("utf8") === certificate;
  rehearsal.expect("the tenant's Secret is as it was", kept ? "yes" : "no", kept);
  await removeFromGuest(home, tenant, `${ingresses}/${host}`);
  await removeFromGuest(home, tenant, `/api/v1/namespaces/default/secrets/${name}`);
}

/** A certificate for a host that the visitor signs themselves, and its key, both in PEM. */
function selfSigned(home: EmbeddedHome, host: string): readonly string[] {
  const text = home.atVisitor(
    "sh",
    "-c",
    `openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/own.key -out /tmp/own.crt -days 30 -subj /CN=${host} -addext subjectAltName=DNS:${host} 2>/dev/null && cat /tmp/own.crt && echo @@ && cat /tmp/own.key`,
  );
  return text.split("@@\n");
}

/** What `kubectl apply` would print beside what it did: the warnings that the guest's API server answers with. */
async function warningOf(home: EmbeddedHome, path: string, object: object): Promise<string> {
  const config = await home.guest(tenant).kubeconfig();
  const options = {};
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const url = new URL(path, config.getCurrentCluster()?.server);
    const call = request(url, { ...options, method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () => {
        resolve(response.headers.warning ?? "nothing");
      });
    });
    call.on("error", reject);
    call.end(JSON.stringify(object));
  });
}
