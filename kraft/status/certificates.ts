import { type Certificate, condition } from "../../cluster/objects.ts";
import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { distance, moment, timestamp } from "../cli/moment.ts";
import { type Found, type Remark, remarks, sentence, sortedBy } from "./found.ts";
import type { Observed } from "./observed.ts";
import type { CertificateStatus } from "./report.ts";

/** What is wrong with the one issuer. */
export function issuerProblems({ issuers }: Observed): Remark[] {
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  const ready = condition(issuer?.status, "Ready");
  return remarks(
    `issuer ${issuerName}`,
    issuer === undefined
      ? "is not in the cluster: run pulumi up"
      : ready?.status !== "True" && sentence("is not ready", ready?.message),
  );
}

/** Milliseconds after its due time that a renewal may take. */
const renewalPatience = 24 * 3_600_000;

/** Every certificate, by namespace and name. */
export function certificatesFound({ certificates }: Observed, now: Date): Found<CertificateStatus>[] {
  return sortedBy(
    certificates.map((certificate) => certificateFound(certificate, now)),
    ({ part: { namespace, name } }) => `${namespace}/${name}`,
  );
}

function certificateFound({ metadata, spec, status }: Certificate, now: Date): Found<CertificateStatus> {
  const { namespace = "", name } = metadata;
  const ready = condition(status, "Ready");
  const isReady = ready?.status === "True";
  const notAfter = timestamp(status?.notAfter);
  const renewal = timestamp(status?.renewalTime);
  const isOverdue = renewal !== undefined && now.getTime() - renewal.getTime() > renewalPatience;
  return {
    part: { namespace, name, hosts: spec?.dnsNames ?? [], ready: isReady, notAfter: notAfter?.toISOString() ?? null },
    problems: remarks(
      `certificate ${namespace}/${name}`,
      notAfter !== undefined && notAfter < now
        ? `EXPIRED ${distance(notAfter, now)}`
        : isReady
          ? isOverdue && `should have been renewed on ${moment(renewal)}`
          : sentence("is not ready", ready?.message),
    ),
  };
}
