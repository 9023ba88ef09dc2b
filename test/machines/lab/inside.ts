import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { terminalReporter } from "../../../local/terminal.ts";
import { debianProgram, debianRoot } from "../../../local/toolchain/debian.ts";
import { readyTools, toolPath } from "../../../local/toolchain/ready.ts";

/** What a test that runs in the laboratory has at hand. */
export interface Surroundings {
  /** Read-only root file system of the nodes. */
  readonly root: string;
  readonly pulumi: string;
  readonly provider: string;
}

/** What a node has beside Debian's smallest system. What Kraft itself installs is not among it. */
const nodePackages = ["ca-certificates", "curl", "openssh-server", "openssl", "sudo"];

const variable = "KRAFT_TEST_LABORATORY";

/**
 * Runs a test file a second time in network, processes and mounts of its own, and returns what is there to that second
 * run. The first ends here. With the second's first process goes everything in it, so that nothing is ever left behind,
 * and no address outside exists in it.
 */
export async function insideLaboratory(file: string): Promise<Surroundings> {
  const given = process.env[variable];
  if (given !== undefined) {
    return JSON.parse(given) as Surroundings;
  }
  const tools = await readyTools(terminalReporter(), ["engine", "command"]);
  const surroundings: Surroundings = {
    root: await debianRoot({ packages: nodePackages, purpose: "the nodes of the tests" }),
    pulumi: toolPath(tools, "pulumi"),
    provider: toolPath(tools, "pulumi-resource-command"),
  };
  const ssh = dirname(await debianProgram("ssh", "openssh-client"));
  const root = process.getuid?.() === 0;
  const isolated = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"];
  const command = [
    ...(root ? [] : ["sudo", "-n", "--preserve-env"]),
    ...["unshare", ...isolated, process.execPath, file],
  ];
  const [executable = "", ...rest] = command;
  // The runner reads the second run's report from the same output.
  const result = spawnSync(executable, rest, {
    stdio: "inherit",
    env: { ...process.env, PATH: [process.env["PATH"], ssh].join(delimiter), [variable]: JSON.stringify(surroundings) },
  });
  process.exit(result.status ?? 1);
}
