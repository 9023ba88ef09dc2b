import { issuerName } from "../../components/plan/cert-manager-values.ts";
import { distance, moment, timestamp } from "../cli/moment.ts";
import { compare, condition, placed, sentence, type Found, type Remark } from "./found.ts";
import type { CertificateObject, Observed } from "./objects.ts";
import type { CertificateStatus } from "./report.ts";

/** What is wrong with the one issuer. */
export function issuerProblems({ issuers }: Observed): Remark[] {
  const subject = `issuer ${issuerName}`;
  const issuer = issuers.find(({ metadata }) => metadata.name === issuerName);
  if (issuer === undefined) {
    return [{ subject, message: "is not in the cluster: run pulumi up" }];
  }
  const ready = condition(issuer.status?.conditions, "Ready");
  return ready?.status === "True" ? [] : [{ subject, message: sentence("is not ready", ready?.message) }];
}

/** Milliseconds after its due time that a renewal may take. */
const renewalPatience = 24 * 3_600_000;

/** Every certificate, by namespace and name. */
export function certificatesFound({ certificates }: Observed, now: Date): Found<CertificateStatus>[] {
  return certificates
    .map((certificate) => certificateFound(certificate, now))
    .sort((a, b) => compare(`${a.part.namespace}/${a.part.name}`, `${b.part.namespace}/${b.part.name}`));
}

function certificateFound({ metadata, spec, status }: CertificateObject, now: Date): Found<CertificateStatus> {
  const { namespace, name } = placed(metadata);
  const ready = condition(status?.conditions, "Ready");
  const notAfter = timestamp(status?.notAfter);
  const renewal = timestamp(status?.renewalTime);
  const subject = `certificate ${namespace}/${name}`;
  const problem = (message: string): Remark[] => [{ subject, message }];
  const problems =
    notAfter !== undefined && notAfter < now
      ? problem(`EXPIRED ${distance(notAfter, now)}`)
      : ready?.status !== "True"
        ? problem(sentence("is not ready", ready?.message))
        : renewal !== undefined && now.getTime() - renewal.getTime() > renewalPatience
          ? problem(`should have been renewed on ${moment(renewal)}`)
          : [];
  return {
    part: {
      namespace,
      name,
      hosts: spec?.dnsNames ?? [],
      ready: ready?.status === "True",
      notAfter: notAfter?.toISOString() ?? null,
    },
    problems,
  };
}
