import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure, messageOf } from "../../errors/failure.ts";
import { type StackFile, stackFilePath } from "../../infra/config/stack-file.ts";
import { refuseInRepository, writeCredential } from "../kubeconfig/file.ts";
import { opener, passphraseOf } from "../secrets/stack-secrets.ts";

/** A recovery kit: everything that a rebuild needs besides the repository, in one folder outside the house. */

/** The names of its files. */
export function kitFiles(stack: string) {
  return {
    passphrase: "passphrase",
    stackFile: `Pulumi.${stack}.yaml`,
    state: `state-${stack}.json`,
    readme: `READ-ME-${stack}.txt`,
  };
}

/** For whoever finds it, perhaps years later. */
function readmeText(stack: string): string {
  const { passphrase, stackFile, state } = kitFiles(stack);
  return `Recovery kit of the Kraft stack "${stack}".

WHOEVER HAS THIS FOLDER CAN READ AND DELETE EVERY BACKUP AND OPEN EVERY TENANT'S CLUSTER.
Keep it locked away, away from the house, and encrypted.

  ${passphrase}
      the passphrase of ${stackFile}
  ${stackFile}
      the stack file: what the platform is, and its secrets under that passphrase
  ${state}
      Pulumi's record of what it made, its secrets under the same passphrase

After the loss of the house:

  1. Get Kraft's repository, and put ${stackFile} of this folder into it if it has none, or an older one.
  2. npm ci
     export PULUMI_CONFIG_PASSPHRASE_FILE=<this folder>/${passphrase}
  3. npx kraft restore plan -s ${stack}
     shows, without any cluster, what the backups hold and how long it takes.
  4. Go on with the repository's documentation on how to rebuild.

Check this folder every three months:  npx kraft kit <this folder> -s ${stack}
`;
}

/** A state with all CRDs in it is some megabytes. */
const largestState = 256 * 1024 ** 2;

/**
 * Writes a kit, or what it lacks, and returns the names of new and replaced files, and why the state is not among them. A
 * different file that is already there is not replaced without `force`. A Failure comes before anything is written: without
 * the passphrase, with a wrong one, into the repository, or where a file is in the way.
 */
export async function writeKit(
  folder: string,
  file: StackFile,
  environment: Readonly<Record<string, string | undefined>>,
  force: boolean,
): Promise<{ readonly files: readonly string[]; readonly stateFailure: string | undefined }> {
  refuseInRepository(folder, file.directory, "a kit");
  // A wrong passphrase would only be noticed during a disaster.
  await opener(file, environment);
  const names = kitFiles(file.stack.name);
  const state = await exportedState(file);
  const contents = new Map<string, string>([
    [names.passphrase, `${passphraseOf(environment) ?? ""}\n`],
    [names.stackFile, readFileSync(stackFilePath(file.directory, file.stack.name), "utf8")],
    [names.readme, readmeText(file.stack.name)],
    ...(state.text === undefined ? [] : [[names.state, state.text] as const]),
  ]);
  const wanted = [...contents].filter(([name, content]) => contentOf(join(folder, name)) !== content);
  // Every export of the state differs, and replaces the last one without loss.
  const inTheWay = wanted
    .map(([name]) => name)
    .filter((name) => name !== names.state && existsSync(join(folder, name)));
  if (inTheWay.length > 0 && !force) {
    throw new Failure(
      `${folder} has another ${inTheWay.join(", another ")}: nothing was written\n  Replace it with --force, or name another folder.`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of wanted) {
    writeCredential(join(folder, name), content, true);
  }
  return { files: wanted.map(([name]) => name), stateFailure: state.failure };
}

/** What a file holds; undefined where there is none. */
export function contentOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Exported by Pulumi's own command, with its login and its environment. */
async function exportedState({ stack, directory }: StackFile): Promise<{ text?: string; failure?: string }> {
  try {
    const { stdout } = await promisify(execFile)("pulumi", ["stack", "export", "--stack", stack.name], {
      cwd: directory,
      maxBuffer: largestState,
    });
    return { text: stdout };
  } catch (error) {
    const { code, stderr = "" } = error as { readonly code?: unknown; readonly stderr?: string };
    const why = code === "ENOENT" ? "there is no pulumi on this machine" : stderr.trim().split("\n")[0];
    return { failure: why === undefined || why === "" ? messageOf(error) : why };
  }
}
