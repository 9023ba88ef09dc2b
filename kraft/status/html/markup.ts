/** Text of HTML. Only `markup` and `asWritten` make it, so that nothing gets into a page without being escaped. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** What stands in this program as it is. Never for anything that came from elsewhere. */
  static asWritten(text: string): Markup {
    return new Markup(text);
  }
}

type Inserted = Markup | string | number | readonly Inserted[];

/** A template of HTML. What is inserted is escaped, for text and for attributes in double quotes, unless it is HTML itself. */
export function markup(parts: TemplateStringsArray, ...values: readonly Inserted[]): Markup {
  return Markup.asWritten(parts.reduce((text, part, index) => `${text}${textOf(values[index - 1] ?? "")}${part}`));
}

function textOf(value: Inserted): string {
  if (value instanceof Markup) {
    return value.text;
  }
  return typeof value === "object" ? value.map(textOf).join("") : escaped(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What HTML does not allow, and what turns the direction of the text after it, is shown as unreadable. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character] ?? "")
    .replace(/[\u202a-\u202e\u2066-\u2069]|\p{Noncharacter_Code_Point}|[^\P{Cc}\n\t]/gu, "\ufffd")
    .toWellFormed();
}
