import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import { cacheDirectory } from "../cache.ts";
import { withLock } from "../lock.ts";
import { asRoot } from "../root.ts";
import { terminalReporter } from "../terminal.ts";

const reporter = terminalReporter();

function output(command: string, ...rest: readonly string[]): string {
  const result = spawnSync(command, rest, { encoding: "utf8" });
  if (result.status !== 0) {
    const said = (result.error?.message ?? `${result.stdout}${result.stderr}`).trim();
    throw new Failure(`${command} ${rest.join(" ")} failed; this needs Debian or Ubuntu:\n${said}`);
  }
  return result.stdout.trim();
}

/**
 * The folder of an unpacked Debian package, in the cache that all checkouts share. It is not installed: nothing of this
 * machine changes.
 */
export async function debianPackage(name: string): Promise<string> {
  const folder = join(cacheDirectory(), "debian", name);
  await once(folder, (work) => {
    if (!/Candidate: \d/.test(output("apt-cache", "policy", name))) {
      asRoot(["apt-get", "-qq", "update"], `Debian's list of packages is needed for ${name}`);
    }
    const downloaded = mkdtempSync(join(work, "download-"));
    const download = (): string =>
      spawnSync("apt-get", ["-qq", "download", name], { cwd: downloaded, encoding: "utf8" }).stderr;
    let said = download();
    if (readdirSync(downloaded).length === 0) {
      // A list of packages from yesterday names versions that are gone today.
      asRoot(["apt-get", "-qq", "update"], `Debian's list of packages is needed for ${name}`);
      said = download();
    }
    const [file] = readdirSync(downloaded);
    if (file === undefined) {
      throw new Failure(`apt-get download ${name} failed: ${said}`);
    }
    output("dpkg-deb", "-x", join(downloaded, file), work);
    rmSync(downloaded, { recursive: true });
  });
  return folder;
}

/**
 * The path of a program: the machine's own, else that of a Debian package.
 *
 * @param fromPackage Default: the package of the same name.
 */
export async function debianProgram(name: string, fromPackage = name): Promise<string> {
  const own = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  return own ?? join(await debianPackage(fromPackage), "usr", "bin", name);
}

/**
 * A minimal Debian in the cache, made by debootstrap from the packages that this machine's apt uses; once for each list.
 *
 * @param packages What it has beside Debian's smallest system (`minbase`). Their order does not matter.
 * @param purpose For whom it is made, as the one line says that is printed meanwhile: "the nodes of the tests".
 */
export async function debianRoot({
  packages,
  purpose,
}: {
  readonly packages: readonly string[];
  readonly purpose: string;
}): Promise<string> {
  const include = packages.toSorted();
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  const architecture = output("dpkg", "--print-architecture");
  const key = createHash("sha256").update(JSON.stringify(include)).digest("hex").slice(0, 8);
  const folder = join(cacheDirectory(), "debian", `root-${codename}-${architecture}-${key}`);
  const tool = await debianPackage("debootstrap");
  await once(folder, (work) => {
    const site = output("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)")
      .split("\n")
      .map((line) => line.split(" "))
      .find(([release, component]) => release === codename && component === "main")?.[2];
    if (site === undefined) {
      throw new Failure(`apt knows no packages of ${codename === "" ? "this system's release" : codename}`);
    }
    reporter.line(`making a Debian ${codename} for ${purpose} (once; about 2 min)`);
    asRoot(
      [
        "env",
        `DEBOOTSTRAP_DIR=${tool}/usr/share/debootstrap`,
        `PATH=${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
        join(tool, "usr", "sbin", "debootstrap"),
        "--variant=minbase",
        `--include=${include.join(",")}`,
        `--arch=${architecture}`,
        codename,
        work,
        site,
      ],
      `A root file system for ${purpose} must be made`,
    );
  });
  return folder;
}

/** Fills a folder of the cache, whole or not at all, and only if it is not there yet. */
async function once(folder: string, fill: (work: string) => void): Promise<void> {
  if (existsSync(folder)) {
    return;
  }
  await withLock(
    `${folder}.lock`,
    (pid) => {
      reporter.line(`process ${pid} is making ${folder}; waiting for it`);
    },
    () => {
      if (existsSync(folder)) {
        return;
      }
      const work = `${folder}.building`;
      asRoot(["rm", "-rf", work], "What an interrupted run left must be removed");
      mkdirSync(work, { recursive: true });
      fill(work);
      renameSync(work, folder);
    },
  );
}
