import { distance } from "../cli/moment.ts";
import type { CertificateStatus, NodeStatus, Status, TenantStatus, Use, VolumeStatus } from "./report.ts";

/** How the parts of a status are said, in the text and on the page. */

const gibibyte = 1024 ** 3;

export function verdict({ problems }: Pick<Status, "problems">): string {
  const count = problems.length === 1 ? "1 thing is wrong" : `${problems.length} things are wrong`;
  return problems.length === 0 ? "All is well." : count;
}

export function nodeText({ present, ready, schedulable }: NodeStatus): string {
  return present ? `${ready ? "ready" : "NOT READY"}${schedulable ? "" : ", no new pods"}` : "MISSING";
}

export function guestText({ state, phase, awaitedFrom, movedTo }: TenantStatus): string {
  if (movedTo !== null) {
    return `moved to ${movedTo.stack}`;
  }
  if (awaitedFrom !== null) {
    return `moving from ${awaitedFrom}`;
  }
  return state === null || state === "active" ? (phase ?? "-") : state;
}

export function useText(use: Use | null): string {
  return use === null ? "-" : `${use.used} of ${use.hard}`;
}

export function sizeText({ bytes }: VolumeStatus): string {
  return bytes === null ? "-" : `${Math.round((bytes / gibibyte) * 10) / 10}Gi`;
}

export function volumeText({ state, robustness, standby }: VolumeStatus): string {
  return standby ? "following" : state === "attached" ? robustness : state;
}

export function certificateText({ ready }: CertificateStatus): string {
  return ready ? "ready" : "NOT READY";
}

export function targetText({ backups: { target } }: Status, now: Date): string {
  if (target === null) {
    return "none";
  }
  const synced = target.lastSyncedAt === null ? "" : `, looked at ${distance(new Date(target.lastSyncedAt), now)}`;
  return `${target.url}, ${target.available ? "available" : "NOT AVAILABLE"}${synced}`;
}
