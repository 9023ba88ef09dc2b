// What rehearsals about names and certificates do with a tenant's sites.
import { X509Certificate } from "node:crypto";
import type { Certificate } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { shop } from "./tenants.ts";
import { Visitor } from "./visitor.ts";

/** Where a guest has the Ingresses of its namespace `default`. */
export const ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

/** The Secret of a host's certificate, as `ingressFor` names it. */
export function secretOf(host: string): string {
  return `${host.replaceAll(".", "-")}-tls`;
}

/** An Ingress of a tenant's that leads a host to their shop and asks for a certificate. It has the host's name. */
export function ingressFor(host: string) {
  const backend = { service: { name: shop, port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: host, annotations: { "cert-manager.io/cluster-issuer": issuerName } },
    spec: {
      ingressClassName: "traefik",
      tls: [{ hosts: [host], secretName: secretOf(host) }],
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

/** Takes an object out of a tenant's guest. */
export async function removeFromGuest(home: EmbeddedHome, tenant: string, path: string): Promise<void> {
  // A guest whose server has just started again refuses for some seconds.
  await eventually(path, async () => {
    await (await home.guest(tenant).api()).delete(path);
    return true;
  });
}

/** Somebody who opens a host every second until the rehearsal ends, or they are told to leave. */
export function visitorOf(
  rehearsal: Rehearsal,
  home: EmbeddedHome,
  host: string,
  options: readonly string[] = ["--cacert", home.roots],
): Visitor {
  const visitor = new Visitor(home, `https://${host}/`, options);
  rehearsal.removeAtEnd(() => {
    visitor.leave();
  });
  return visitor;
}

/** Whether a visitor who trusts some roots gets an answer of a host. */
export function answers(home: EmbeddedHome, host: string, roots?: string): boolean {
  return !home.visited(`https://${host}/`, roots).startsWith("curl ended");
}

/** The certificate that a visitor gets of a host. */
export function certificateOf(home: EmbeddedHome, host: string): X509Certificate {
  const call = `openssl s_client -connect ${host}:443 -servername ${host} </dev/null 2>/dev/null | openssl x509`;
  return new X509Certificate(home.atVisitor("sh", "-c", call));
}

/** Waits for another certificate of a host. */
export function anotherCertificate(
  home: EmbeddedHome,
  host: string,
  before: X509Certificate,
  seconds: number,
): Promise<X509Certificate> {
  return eventually(
    `another certificate of ${host}`,
    () => {
      const now = certificateOf(home, host);
      return Promise.resolve(now.serialNumber === before.serialNumber ? undefined : now);
    },
    seconds,
  );
}

/** When cert-manager renews a certificate, in milliseconds since 1970: when a third of its life is left. */
export function renewalOf({ validFromDate, validToDate }: X509Certificate): number {
  const from = validFromDate.getTime();
  return from + ((validToDate.getTime() - from) / 3) * 2;
}

/**
 * The certificate of a host, if it is not renewed soon; otherwise the next one.
 *
 * @param soon Seconds.
 * @param patience Seconds that the next one may take.
 */
export async function certificateNotDue(
  home: EmbeddedHome,
  host: string,
  soon: number,
  patience: number,
): Promise<X509Certificate> {
  const now = certificateOf(home, host);
  return Date.now() + soon * 1000 < renewalOf(now) ? now : anotherCertificate(home, host, now, patience);
}

/** cert-manager's Certificate of a host of a tenant. */
export async function certificateFor(
  home: EmbeddedHome,
  tenant: string,
  host: string,
): Promise<Certificate | undefined> {
  const found = await home.host().list(paths.certificates.in(tenantNames(tenant).namespace));
  return found.find(({ spec }) => spec?.dnsNames?.includes(host) === true);
}

/** What `kubectl annotate secrets --all-namespaces` of docs/first-steps.md does. Returns the Secrets' names. */
export async function issueAnew(rehearsal: Rehearsal, home: EmbeddedHome): Promise<readonly string[]> {
  rehearsal.note(
    "$ kubectl annotate secrets --all-namespaces --selector controller.cert-manager.io/fao=true --overwrite cert-manager.io/issuer-name=former",
  );
  const secrets = await home.host().list(labelled(paths.secrets.all, "controller.cert-manager.io/fao=true"));
  for (const { metadata } of secrets) {
    await home.host().merge(paths.secrets.named(metadata.namespace ?? "", metadata.name), {
      metadata: { annotations: { "cert-manager.io/issuer-name": "former" } },
    });
  }
  return secrets.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
}

/** Waits until cert-manager has an account at an authority. */
export async function accountAt(home: EmbeddedHome, authority: string): Promise<void> {
  await eventually(
    `an account at ${authority}`,
    async () => {
      const uri = (await home.host().get(paths.issuers.named(issuerName)))?.status?.acme?.uri ?? "";
      return uri.includes(`//${authority}/`) ? true : undefined;
    },
    120,
  );
}

/** Waits until `kraft status` has nothing to say. */
export async function quietStatus(home: EmbeddedHome, seconds: number): Promise<void> {
  await eventually(
    "status has nothing to say",
    async () => ((await home.tool("status", "-s", "local")).code === 0 ? true : undefined),
    seconds,
  );
}

/** The lines of a status that say what is wrong. */
export function problemsOf(status: string): string {
  return (
    status
      .split("\n")
      .filter((line) => /^ {2}(?:certificate|issuer|tenant|backup target) \S+: /.test(line))
      .join("\n") || "nothing"
  );
}

/** Has a rehearsal fail where visitors missed calls for a certificate. On a busy machine some take longer than they wait. */
export function expectTrust(rehearsal: Rehearsal, what: string, visitor: Visitor, since: number): void {
  const reasons = visitor.reasons(since);
  rehearsal.expect(what, `${visitor.missed(since)} ${reasons}`.trim(), !reasons.includes("SSL"));
}
