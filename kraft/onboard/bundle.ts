import { createHash, randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, Failure, messageOf } from "../../errors/failure.ts";
import { record } from "../../infra/config/pulumi-files.ts";
import { tenantFiles } from "../welcome/files.ts";

/**
 * File beside them that says what this program wrote there: by file the SHA-256 of each text. What differs from it was
 * written, or changed, by somebody else.
 */
const recordFile = ".kraft-onboard.json";

interface BundleRecord {
  readonly tenant: string;
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/** A folder as it is before a bundle is written into it. */
export interface Bundle {
  readonly folder: string;
  readonly tenant: string;
  /** Texts of the files that are there, by name. All are as this program wrote them. */
  readonly present: ReadonlyMap<string, string>;
}

/** A file of a bundle, by name, with its text. */
export type BundleTexts = Readonly<Record<string, string>>;

/**
 * Looks at the folder of a bundle. A Failure where it cannot become one: it has another tenant's, a file that somebody else
 * wrote or changed, or something that is no file.
 */
export function readBundle(folder: string, tenant: string): Bundle {
  const before = recordOf(folder);
  if (before !== undefined && before.tenant !== tenant) {
    throw new Failure(
      `${folder} has what ${before.tenant} gets: nothing was written\n  name a folder of its own for ${tenant}`,
    );
  }
  const present = new Map<string, string>();
  for (const name of Object.values(tenantFiles)) {
    const text = textOf(join(folder, name));
    if (text !== undefined) {
      present.set(name, text);
    }
  }
  const foreign = [...present]
    .filter(([name, text]) => before?.files[name]?.includes(digest(text)) !== true)
    .map(([name]) => name);
  if (foreign.length > 0) {
    throw new Failure(
      `${folder} has a ${foreign.join(", a ")} that somebody else wrote or changed: nothing was written\n` +
        `  name another folder, or move ${foreign.length === 1 ? "it" : "them"} away`,
    );
  }
  return { folder, tenant, present };
}

/**
 * Writes the files of a bundle for their user alone, and returns the names of new and changed ones. First all are written
 * under other names; an end in between leaves whole files, of which the next run knows that they are its own.
 */
export function writeBundle(bundle: Bundle, texts: BundleTexts): readonly string[] {
  const { folder, present, tenant } = bundle;
  const changed = Object.entries(texts).filter(([name, text]) => present.get(name) !== text);
  const suffix = randomBytes(6).toString("hex");
  const beside = (name: string): string => join(folder, `.${name}.${suffix}`);
  const digests = (name: string, text: string): string[] => {
    const old = present.get(name);
    return [...new Set([...(old === undefined ? [] : [digest(old)]), digest(text)])];
  };
  const recordText = (all: boolean): [string, string] => [
    recordFile,
    `${JSON.stringify(
      {
        tenant,
        files: Object.fromEntries(
          Object.entries(texts).map(([name, text]) => [name, all ? digests(name, text) : [digest(text)]]),
        ),
      } satisfies BundleRecord,
      undefined,
      2,
    )}\n`,
  ];
  const put = (name: string, text: string): void => {
    writeFileSync(beside(name), text, { mode: 0o600, flag: "wx" });
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      for (const [name, text] of [...changed, recordText(true)]) {
        put(name, text);
      }
      // The record comes first: a run that ends here leaves nothing that the next one takes for somebody else's.
      for (const name of [recordFile, ...changed.map(([changedName]) => changedName)]) {
        renameSync(beside(name), join(folder, name));
      }
      const [name, text] = recordText(false);
      put(name, text);
      renameSync(beside(name), join(folder, name));
    } finally {
      for (const name of [recordFile, ...changed.map(([changedName]) => changedName)]) {
        rmSync(beside(name), { force: true });
      }
    }
  } catch (error) {
    throw new Failure(`${folder} cannot be written: ${messageOf(error)}`);
  }
  return changed.map(([name]) => name);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Undefined where this program wrote nothing, or where the record is not one. */
function recordOf(folder: string): BundleRecord | undefined {
  try {
    const { tenant, files } = record(JSON.parse(textOf(join(folder, recordFile)) ?? "null"));
    const digests = Object.entries(record(files)).map(
      ([name, list]) => [name, Array.isArray(list) ? list.map(String) : []] as const,
    );
    return typeof tenant === "string" ? { tenant, files: Object.fromEntries(digests) } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** What a file holds; undefined where there is nothing. Of anything else, such as a link, nobody knows whose it is. */
function textOf(path: string): string | undefined {
  try {
    if (!lstatSync(path).isFile()) {
      throw new Failure(`${path} is not a file: nothing was written\n  name another folder`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return undefined;
    }
    throw error instanceof Failure ? error : new Failure(`${path} cannot be read: ${messageOf(error)}`);
  }
}
