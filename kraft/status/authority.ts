import { type Certificate, type Challenge, type ClusterIssuer, condition, type Order } from "../../cluster/objects.ts";
import { issuerName } from "../../components/plan/cert-manager-values.ts";

/**
 * Says which certificate is still one of another authority than the platform's issuer has its account at, and what has it
 * issued anew. cert-manager does not do that when `kraft:issuer` changes (cert-manager/cert-manager#4223): it asks the new
 * authority only when the certificate is due.
 *
 * The command makes cert-manager take the Secret for one of another issuer. The site keeps the old certificate until the new
 * one is there, and the authority is not told that it replaces one that it does not know (cert-manager/cert-manager#9074).
 *
 * @returns undefined where the authority is the same, or nothing says which it was: cert-manager keeps the last order only
 */
export function formerAuthority(
  { metadata: { namespace = "", name }, spec, status }: Certificate,
  orders: readonly Order[],
  issuer: ClusterIssuer | undefined,
): string | undefined {
  const issued = orders.find(
    ({ metadata, spec: order }) =>
      metadata.namespace === namespace &&
      metadata.annotations?.["cert-manager.io/certificate-name"] === name &&
      metadata.annotations["cert-manager.io/certificate-revision"] === String(status?.revision) &&
      order?.issuerRef?.kind === "ClusterIssuer" &&
      order.issuerRef.name === issuerName,
  );
  const former = hostOf(issued?.status?.url);
  const current = hostOf(issuer?.status?.acme?.uri);
  const secret = spec?.secretName;
  return former === undefined || current === undefined || former === current || secret === undefined
    ? undefined
    : `is of ${former}, and kraft:issuer is ${current} now: to have it issued anew, kubectl annotate secret ${secret} --namespace ${namespace} --overwrite cert-manager.io/issuer-name=former`;
}

/**
 * Why a certificate is not issued, in the words of cert-manager or the authority: why the last attempt failed, otherwise what
 * one of its names waits for. The condition Ready only says that there is no certificate.
 */
export function obstacleOf(
  { metadata: { namespace }, spec, status }: Certificate,
  challenges: readonly Challenge[],
): string | undefined {
  const issuing = condition(status, "Issuing");
  const waiting = challenges.find(
    ({ metadata, spec: challenge, status: asked }) =>
      metadata.namespace === namespace &&
      spec?.dnsNames?.includes(challenge?.dnsName ?? "") === true &&
      (asked?.reason ?? "") !== "",
  );
  const why = issuing?.status === "False" ? issuing.message : undefined;
  const what = waiting && `${waiting.spec?.dnsName ?? ""}: ${waiting.status?.reason ?? ""}`;
  // An authority may answer in several lines.
  return (why ?? what)?.replace(/\s+/g, " ").trim();
}

/** Host and port of an address; cert-manager tells authorities apart by the same. */
function hostOf(address: string | undefined): string | undefined {
  return address === undefined || !URL.canParse(address) ? undefined : new URL(address).host;
}
