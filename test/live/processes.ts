import { readdirSync, readlinkSync } from "node:fs";
import { hasEnded, type Pod } from "../../cluster/objects.ts";
import type { Path } from "../../cluster/paths.ts";
import { machineProcess } from "../../local/home/enter.ts";
import { readOrUndefined } from "../../local/processes.ts";
import type { EmbeddedHome } from "./embedded-home.ts";

/** Numbers, on this machine, of the processes of one pod or of one machine of a home. */
export type Processes = readonly number[];

const nodes = ["optiplex-1", "optiplex-2", "optiplex-3"] as const;

/**
 * The processes of some pods of a home, without those that only hold their namespaces.
 *
 * @param inGuest Only of the pods that K3k's kubelets made for this namespace of the guest.
 */
export async function ofPods(
  home: Pick<EmbeddedHome, "host">,
  path: Path<Pod>,
  inGuest?: string,
): Promise<readonly Processes[]> {
  const pods = (await home.host().list(path)).filter(
    (pod) => !hasEnded(pod) && (inGuest === undefined || pod.metadata.annotations?.["k3k.io/namespace"] === inGuest),
  );
  const all = processes();
  return pods.map(({ metadata: { uid = "" } }) =>
    all.filter(({ cgroup, command }) => cgroup.includes(`pod${uid}/`) && command !== "pause").map(({ pid }) => pid),
  );
}

/** The processes of a name that run on each node itself, not in a pod. */
export function ofNodes(home: Pick<EmbeddedHome, "directory">, command: string): readonly Processes[] {
  const all = processes();
  return nodes.map((node) => {
    const first = machineProcess(home.directory, node);
    const namespace = first === undefined ? "" : pidNamespace(first);
    return all
      .filter((found) => found.command === command && pidNamespace(found.pid) === namespace)
      .map(({ pid }) => pid);
  });
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

/** Empty for a process that has ended. */
function pidNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // It ended since it was listed.
    return "";
  }
}
