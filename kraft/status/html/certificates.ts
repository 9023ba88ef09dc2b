import { timestamp } from "../../cli/moment.ts";
import { type CertificateStatus, sortedBy, type Status, subjects } from "../report.ts";
import { certificateText } from "../words.ts";
import { type Bar, problemsOf, type Section, timeCell } from "./page.ts";

const millisecondsPerDay = 86_400_000;

/** Days from one mark on the time line to the next: 30, unless that would be more than twelve of them. */
function markDays(days: number): number {
  return [30, 90, 365].find((step) => days / step <= 12) ?? 10 ** Math.ceil(Math.log10(days / 12));
}

/** Every certificate on a time line, the one that ends first at the top. */
export function certificateSection(status: Status, now: Date): Section {
  const certificates = sortedBy(status.certificates, ({ notAfter }) => notAfter ?? "");
  const longest = Math.max(0, ...certificates.map((certificate) => daysLeft(certificate, now) ?? 0));
  const step = markDays(longest);
  const days = Math.max(1, Math.ceil(longest / step)) * step;
  const marks = Array.from({ length: days / step - 1 }, (_, index) => ((index + 1) * step) / days);
  return {
    title: "Certificates",
    blocks: [
      {
        caption: `Certificates by their end; each line is ${days} days from when this page was made, with a mark every ${step}`,
        headings: ["certificate", "hosts", "state", "ends", "time left"],
        rows: certificates.map((certificate) => [
          `${certificate.namespace}/${certificate.name}`,
          certificate.hosts.join(", "),
          { text: certificateText(certificate), problems: problemsOf(status, subjects.certificate(certificate)) },
          timeCell(certificate.notAfter, now, "-"),
          timeLine(daysLeft(certificate, now), days, marks),
        ]),
      },
    ],
  };
}

/** Days until a certificate ends, negative after that; undefined for one that there is not yet. */
function daysLeft({ notAfter }: CertificateStatus, now: Date): number | undefined {
  const end = timestamp(notAfter);
  return end === undefined ? undefined : (end.getTime() - now.getTime()) / millisecondsPerDay;
}

function timeLine(left: number | undefined, days: number, marks: readonly number[]): Bar | string {
  return left === undefined
    ? "-"
    : {
        alternative: left < 0 ? "none: it has ended" : `${Math.floor(left)} of ${days} days`,
        parts: [{ kind: "left", share: Math.max(0, left) / days }],
        marks,
      };
}
