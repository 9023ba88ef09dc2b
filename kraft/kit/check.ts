import { existsSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure, messageOf } from "../../errors/failure.ts";
import { ConfigError } from "../../errors/problem.ts";
import { readCatalogue } from "../../infra/catalogue/catalogue.ts";
import { readStackFile, type StackFile, stackFilePath } from "../../infra/config/stack-file.ts";
import { distance } from "../cli/moment.ts";
import { storeOf } from "../restore/inputs.ts";
import { bucketKeyNames, decrypter, openSecrets } from "../secrets/stack-secrets.ts";
import { contentOf, kitFiles } from "./write.ts";

/** One thing that a rebuild needs, and whether the kit has it. */
export interface KitLine {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do; null where it is well. */
  readonly fix: string | null;
}

/** A kit to try, and what to try it with. */
interface Kit {
  readonly folder: string;
  /** The stack file that is in use. */
  readonly here: StackFile;
  /** The kit's own, whatever the environment has. */
  readonly passphrase: string | undefined;
  readonly now: Date;
  /** The command that writes what is missing. */
  readonly write: string;
}

/** Days after which a record of the state is too old: a quarter, as the kit itself. */
const stateDays = 90;

/**
 * Tries everything in a kit that a rebuild would use, with nothing but the kit: a file that is there but does not open is
 * worse than none. It is compared with the stack file in use.
 */
export async function checkKit(folder: string, here: StackFile, now: Date): Promise<KitLine[]> {
  const { name } = here.stack;
  const files = kitFiles(name);
  const write = `npx kraft kit ${folder} -s ${name} --write`;
  const passphrase = contentOf(join(folder, files.passphrase));
  const kit: Kit = { folder, here, passphrase: passphrase?.trim(), now, write };
  return [
    fileLine(files.passphrase, passphrase, write),
    fileLine(files.stackFile, contentOf(join(folder, files.stackFile)), write),
    sameLine(kit),
    await secretsLine(kit),
    await bucketLine(kit),
    await stateLine(kit, join(folder, files.state)),
    ...[files.passphrase, files.stackFile, files.state].flatMap((name) => modeLine(join(folder, name), name)),
  ];
}

function well(what: string, found: string): KitLine {
  return { what, ok: true, found, fix: null };
}

function bad(what: string, found: string, fix: string): KitLine {
  return { what, ok: false, found, fix };
}

function fileLine(name: string, content: string | undefined, write: string): KitLine {
  if (content === undefined) {
    return bad(name, "missing", write);
  }
  return content.trim() === "" ? bad(name, "empty", `${write} --force`) : well(name, "there");
}

/** Whether the kit is up to date. */
function sameLine({ folder, here, write }: Kit): KitLine {
  const what = "the same stack file as here";
  const kept = contentOf(stackFilePath(folder, here.stack.name));
  const used = contentOf(stackFilePath(here.directory, here.stack.name));
  return kept === used
    ? well(what, "yes")
    : bad(what, kept === undefined ? "missing" : "they differ", `${write}${kept === undefined ? "" : " --force"}`);
}

async function secretsLine({ folder, here, passphrase, write }: Kit): Promise<KitLine> {
  const what = "the passphrase opens every secret";
  if (passphrase === undefined) {
    return bad(what, "no passphrase to try", write);
  }
  try {
    const kept = readStackFile(here.stack, folder);
    const keys = [...new Set([...bucketKeyNames(kept), "guestTokenSeed", ...kept.ciphertexts.keys()])];
    await openSecrets(kept, { PULUMI_CONFIG_PASSPHRASE: passphrase }, keys);
    return well(what, keys.map((key) => `kraft:${key}`).join(", "));
  } catch (error) {
    return bad(what, expected(error), "set what is missing, or write the kit anew with the right passphrase");
  }
}

async function bucketLine({ folder, here, passphrase, now }: Kit): Promise<KitLine> {
  const what = "its key opens the backups";
  try {
    const kept = readStackFile(here.stack, folder);
    const environment = { PULUMI_CONFIG_PASSPHRASE: passphrase };
    const [accessKeyId, secretAccessKey] = await openSecrets(kept, environment, bucketKeyNames(kept));
    const catalogue = await readCatalogue(storeOf(kept, { accessKeyId, secretAccessKey }), { blocks: false });
    const newest = catalogue.volumes
      .map(({ backup }) => backup.created)
      .sort()
      .at(-1);
    return newest === undefined
      ? bad(what, `${catalogue.target} holds no backup`, "see what holds backups up: npx kraft status")
      : well(
          what,
          `${catalogue.volumes.length} volumes in ${catalogue.target}, the newest of ${distance(new Date(newest), now)}`,
        );
  } catch (error) {
    return bad(what, expected(error), "put a key into the stack file that may read the bucket, and write the kit anew");
  }
}

interface State {
  readonly deployment?: {
    readonly manifest?: { readonly time?: string };
    readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
    readonly resources?: readonly unknown[];
  };
}

async function stateLine({ here: { stack }, passphrase = "", now, write }: Kit, path: string): Promise<KitLine> {
  const what = "Pulumi's state";
  const exportCommand = `pulumi stack export -s ${stack.name} --file ${path}`;
  const content = contentOf(path);
  if (content === undefined) {
    return bad(what, "missing", `${write}; where it cannot: ${exportCommand}`);
  }
  try {
    const { deployment } = JSON.parse(content) as State;
    const count = deployment?.resources?.length ?? 0;
    const time = new Date(deployment?.manifest?.time ?? "");
    const salt = deployment?.secrets_providers?.state?.salt;
    if (count === 0 || Number.isNaN(time.getTime())) {
      return bad(what, "a state without resources", exportCommand);
    }
    if (salt !== undefined) {
      await decrypter(salt, passphrase, path);
    }
    const age = `${count} resources, of ${distance(time, now)}`;
    return now.getTime() - time.getTime() > stateDays * 86_400_000 ? bad(what, age, exportCommand) : well(what, age);
  } catch (error) {
    return bad(what, error instanceof SyntaxError ? `no JSON: ${error.message}` : expected(error), exportCommand);
  }
}

/** File systems of USB sticks, which store no modes: FAT, exFAT, NTFS and FUSE (Linux, statfs(2)). */
const withoutModes: ReadonlySet<number> = new Set([0x4d44, 0x2011bab0, 0x5346544e, 0x65735546]);

/** Files that others on this machine can read. */
function modeLine(path: string, name: string): KitLine[] {
  if (!existsSync(path) || (statSync(path).mode & 0o077) === 0 || withoutModes.has(statfsSync(path).type)) {
    return [];
  }
  return [bad(`${name} is yours alone`, "others on this machine can read it", `chmod 600 ${path}`)];
}

/** The message of an error that the operator can fix; any other is an internal error. */
function expected(error: unknown): string {
  if (error instanceof Failure || error instanceof ConfigError) {
    return messageOf(error).split("\n")[0] ?? "";
  }
  throw error;
}
