import { scheduleTable } from "../../../infra/schedule.ts";
import type { Table } from "../../../infra/table.ts";
import { moment } from "../../cli/moment.ts";
import { type Status, subjects } from "../report.ts";
import { nodeText, targetText, verdict } from "../words.ts";
import { capacitySection, type Figures } from "./capacity.ts";
import { certificateSection } from "./certificates.ts";
import { type Page, type PageTable, problemsOf, type Section, worstFirst } from "./page.ts";
import { tenantSection, volumeTable } from "./tenants.ts";

/** What a page is made of. */
export interface Shown {
  readonly status: Status;
  /** What the stack is, in a few words. */
  readonly description: string;
  /** Time zone of schedules, for example `Europe/Berlin`. */
  readonly zone: string;
  /** Undefined where the stack file has problems, so that nobody can tell. */
  readonly figures: Figures | undefined;
}

/** The page of a status: everything that it says, what is wrong first. */
export function planPage({ status, description, zone, figures }: Shown): Page {
  const now = new Date(status.at);
  const count = status.problems.length === 1 ? "1 problem" : `${status.problems.length} problems`;
  const cost = figures?.cost ?? [];
  return {
    title: `${status.stack}: ${status.ok ? "all is well" : count}`,
    heading: `${status.stack}: ${description}`,
    made: { at: status.at, text: moment(now) },
    source: `Cluster asked: context ${status.cluster.context}, UID ${status.cluster.uid}`,
    verdict: verdict(status),
    problems: worstFirst(status.problems),
    sections: [
      ...(status.notes.length === 0 ? [] : [{ title: "Moving", blocks: [{ remarks: status.notes }] }]),
      nodeSection(status),
      tenantSection(status, now),
      ...nobodysVolumes(status, now),
      certificateSection(status, now),
      capacitySection(status.stack, figures),
      {
        title: "Backups",
        blocks: [
          { facts: [["Target", targetText(status, now)]] },
          plainTable(scheduleTable(status.backups.schedules, zone, now)),
        ],
      },
      platformSection(status),
      ...(cost.length === 0 ? [] : [{ title: "Cost", blocks: cost.map(plainTable) }]),
    ],
  };
}

function nodeSection(status: Status): Section {
  return {
    title: "Nodes",
    blocks: [
      {
        caption: "Nodes of the stack and of the cluster",
        headings: ["node", "state", "kubelet"],
        rows: status.nodes.map((node) => [
          node.name,
          { text: nodeText(node), problems: problemsOf(status, subjects.node(node.name)) },
          node.version ?? "-",
        ]),
      },
    ],
  };
}

/** Volumes that are no tenant's, where there are any. */
function nobodysVolumes(status: Status, now: Date): Section[] {
  const volumes = status.backups.volumes.filter(({ tenant }) => tenant === null);
  return volumes.length === 0
    ? []
    : [{ title: "Other volumes", blocks: [volumeTable("Volumes of no tenant", volumes, status, now)] }];
}

function platformSection({ platform }: Status): Section {
  return {
    title: "Platform",
    blocks: [
      {
        caption: "What runs for everybody",
        headings: ["name", "namespace", "kind", "ready"],
        rows: platform.map(({ namespace, name, kind, ready, wanted }) => [
          name,
          namespace,
          kind,
          `${ready} of ${wanted}`,
        ]),
      },
    ],
  };
}

/** A table of a check, as it is. */
function plainTable({ title, rows }: Table): PageTable {
  const [headings = [], ...others] = rows;
  return { caption: title, headings, rows: others.map(([first = "", ...rest]) => [first, ...rest]) };
}
