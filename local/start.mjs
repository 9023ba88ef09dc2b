// Runs a script of this project on a fresh machine: installs the npm packages if they are missing or out of date, finds
// a Node that is new enough, and starts the script with it. Plain JavaScript that an old Node can run.
//
//   node local/start.mjs <script> [arguments]

import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isNewEnough, neededMajor } from "../infra/node-version.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`kraft: ${message}`);
  process.exit(1);
}

/** Why `npm ci` must run, or undefined. @returns {string | undefined} */
function reasonToInstall() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) {
    return "the npm packages are not installed";
  }
  return statSync(join(root, "package-lock.json")).mtimeMs > statSync(installed).mtimeMs
    ? "package-lock.json is newer than the installed npm packages"
    : undefined;
}

/** @param {string} executable @returns {string} its version, or an empty text where it does not run */
function versionOf(executable) {
  const { stdout } = spawnSync(executable, ["--version"], { encoding: "utf8" });
  return (stdout ?? "").trim().replace(/^v/, "");
}

/** This Node, or the one that came with the npm packages. @returns {string} its executable */
function findNode() {
  if (isNewEnough(process.versions.node)) {
    return process.execPath;
  }
  const require = createRequire(join(root, "package.json"));
  try {
    const platform = process.platform === "win32" ? "win" : process.platform;
    const packaged = join(require.resolve(`node-${platform}-${process.arch}/package.json`), "..", "bin", "node");
    if (isNewEnough(versionOf(packaged))) {
      return packaged;
    }
  } catch {
    // Not a platform of package.json's optionalDependencies.
  }
  fail(
    `Node ${neededMajor} or newer is needed, and this is Node ${process.versions.node} on ${process.platform}-${process.arch}, ` +
      `for which no Node comes with the npm packages. Install Node ${neededMajor} from https://nodejs.org and run the command again.`,
  );
}

const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) {
  fail("no script given. Use the commands in package.json, for example `npm run local`.");
}

const reason = reasonToInstall();
if (reason !== undefined) {
  console.error(`kraft: ${reason}; running npm ci`);
  // npm is not necessarily beside `node` on PATH, but npm says where it is when it runs us.
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"];
  const result = spawnSync(command, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) {
    fail("npm ci failed, see above. Without network, install the packages once where there is one.");
  }
}

const child = spawn(findNode(), [resolve(root, script), ...scriptArguments], { stdio: "inherit" });
/** @type {NodeJS.Signals[]} */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
for (const signal of forwarded) {
  // A terminal sends SIGINT to the whole group by itself. Sent twice it would read as "stop at once".
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) {
      child.kill(signal);
    }
  });
}
child.on("error", (error) => fail(`cannot start Node: ${error.message}`));
child.on("exit", (code, signal) =>
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
);
