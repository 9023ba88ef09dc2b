/** Something to say of a part of the cluster. */
export interface Remark {
  readonly subject: string;
  readonly message: string;
}

/** A part of the cluster, and what is wrong with it. */
export interface Found<Part> {
  readonly part: Part;
  readonly problems: readonly Remark[];
}

/** What there is to say of one subject: the messages that do apply. */
export function remarks(subject: string, ...messages: readonly (string | false | undefined)[]): Remark[] {
  return messages.flatMap((message) => (message === undefined || message === false ? [] : [{ subject, message }]));
}

/** What is the matter, with the reason where one was given. */
export function sentence(text: string, why: string | undefined): string {
  return why === undefined || why === "" ? text : `${text}: ${why}`;
}

/** By a key, in the order of its characters, whatever the language of the machine. */
export function sortedBy<Entry>(entries: readonly Entry[], key: (entry: Entry) => string): Entry[] {
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
