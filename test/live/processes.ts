import { readdirSync } from "node:fs";
import { hasEnded, type Pod } from "../../cluster/objects.ts";
import { type Path, paths } from "../../cluster/paths.ts";
import { machineProcess } from "../../local/home/enter.ts";
import { readOrUndefined } from "../../local/processes.ts";
import { rootCommand } from "../../local/root.ts";
import type { EmbeddedHome } from "./embedded-home.ts";

/** Numbers, on this machine, of the processes of one pod or of one machine of a home. */
export type Processes = readonly number[];

/** A command line that runs in the network of a process, as root. */
export function inNetworkOfProcess(pid: number | undefined, ...command: readonly string[]): readonly string[] {
  return rootCommand("nsenter", `--net=/proc/${pid ?? "none"}/ns/net`, ...command);
}

/**
 * The processes of some pods of a home, without those that only hold their namespaces, and without those in which runc
 * still prepares what it will then run (it names them `runc:[…]`).
 *
 * @param chosen Which of the pods at that path. Default: all
 */
export async function ofPods(
  home: Pick<EmbeddedHome, "host">,
  path: Path<Pod>,
  chosen: (pod: Pod) => boolean = () => true,
): Promise<readonly Processes[]> {
  const pods = (await home.host().list(path)).filter((pod) => !hasEnded(pod) && chosen(pod));
  const all = processes();
  return pods.map(({ metadata: { uid = "" } }) =>
    all
      .filter(({ cgroup, command }) => cgroup.includes(`pod${uid}/`) && command !== "pause" && !isRunc(command))
      .map(({ pid }) => pid),
  );
}

/** The processes of these names that each node runs itself, not in a pod. */
export async function ofNodes(
  home: Pick<EmbeddedHome, "directory" | "host">,
  ...commands: readonly string[]
): Promise<readonly Processes[]> {
  const nodes = await home.host().list(paths.nodes.all);
  const all = processes();
  return nodes.map(({ metadata }) => {
    const first = machineProcess(home.directory, metadata.name);
    return all
      .filter((found) => first !== undefined && found.parent === first && commands.includes(found.command))
      .map(({ pid }) => pid);
  });
}

const isRunc = (command: string): boolean => /^runc($|:\[)/.test(command);

interface Process {
  readonly pid: number;
  /** The number of the process that started it, or that has taken it over. */
  readonly parent: number;
  readonly command: string;
  readonly cgroup: string;
}

function processes(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      parent: Number(/^PPid:\s*(\d+)$/m.exec(readOrUndefined(`/proc/${name}/status`) ?? "")?.[1] ?? 0),
      command: readOrUndefined(`/proc/${name}/comm`)?.trim() ?? "",
      cgroup: readOrUndefined(`/proc/${name}/cgroup`) ?? "",
    }));
}
