import { readdirSync } from "node:fs";
import { hasEnded, type Pod } from "../../cluster/objects.ts";
import type { Path } from "../../cluster/paths.ts";
import { readOrUndefined } from "../../local/processes.ts";
import type { EmbeddedHome } from "./embedded-home.ts";

/** Numbers, on this machine, of the processes of one pod. */
export type Processes = readonly number[];

/** The processes of some pods of a home, without those that only hold their namespaces. */
export async function ofPods(home: Pick<EmbeddedHome, "host">, path: Path<Pod>): Promise<readonly Processes[]> {
  const pods = (await home.host().list(path)).filter((pod) => !hasEnded(pod));
  const all = processes();
  return pods.map(({ metadata: { uid = "" } }) =>
    all.filter(({ cgroup, command }) => cgroup.includes(`pod${uid}/`) && command !== "pause").map(({ pid }) => pid),
  );
}

interface Process {
  readonly pid: number;
  readonly command: string;
  readonly cgroup: string;
}

function processes(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      command: readOrUndefined(`/proc/${name}/comm`)?.trim() ?? "",
      cgroup: readOrUndefined(`/proc/${name}/cgroup`) ?? "",
    }));
}
