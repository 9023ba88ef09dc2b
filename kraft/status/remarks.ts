import type { Remark } from "../cli/output.ts";

/** What is wrong with a cluster, collected in the order in which it is found. */
export class Remarks {
  readonly list: Remark[] = [];

  /** Adds what there is to say of one subject: the messages that do apply. */
  add(subject: string, ...messages: readonly (string | false | undefined)[]): void {
    for (const message of messages) {
      if (message !== undefined && message !== false) {
        this.list.push({ subject, message });
      }
    }
  }
}

/** What is the matter, with the reason where one was given. */
export function sentence(text: string, why: string | undefined): string {
  return why === undefined || why === "" ? text : `${text}: ${why}`;
}

/** By a key, in the order of its characters, whatever the language of the machine. */
export function sortedBy<Entry>(entries: readonly Entry[], key: (entry: Entry) => string): Entry[] {
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
