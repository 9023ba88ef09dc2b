import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { freemem } from "node:os";
import { isRoot } from "../root.ts";
import type { Machines } from "../state.ts";

/** Free memory that machines, pods and Pulumi need beside each other. Measured: see `npm run measure`. */
const neededGiB = 8;

/** What a machine of a home is made of, and what it takes to make it. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  /** Whether commands can be run as root without a question. */
  readonly root: boolean;
  readonly freeGiB: number;
  /** Whether the kernel shows cgroups, which limit pods. */
  readonly cgroups: boolean;
  /** Whether apt can be asked for the Debian that machines are made of. */
  readonly apt: boolean;
}

export function surroundings(): Surroundings {
  return {
    platform: process.platform,
    root: isRoot() || spawnSync("sudo", ["-n", "true"]).status === 0,
    freeGiB: freemem() / 1024 ** 3,
    cgroups: existsSync("/sys/fs/cgroup/cgroup.controllers") || existsSync("/sys/fs/cgroup/memory"),
    apt: spawnSync("apt-get", ["--version"]).status === 0,
  };
}

/** Why this machine cannot run the machines of a home, as half a sentence; undefined where it can. */
export function obstacle({ platform, root, freeGiB, cgroups, apt }: Surroundings): string | undefined {
  if (platform !== "linux") {
    return `they need Linux, and this is ${platform}`;
  }
  if (!root) {
    return "they need root, or sudo that asks for no password";
  }
  if (!cgroups) {
    return "this kernel shows no cgroups under /sys/fs/cgroup";
  }
  if (!apt) {
    return "they are made of Debian's packages, and there is no apt-get";
  }
  return freeGiB < neededGiB
    ? `they need ${neededGiB} GiB of free memory, and ${freeGiB.toFixed(1)} GiB are free`
    : undefined;
}

/** What the nodes of a run are, and the line that says why where the user did not ask for it. */
export interface Choice {
  readonly machines: Machines;
  readonly reason?: string;
}

/**
 * Whether a run has real machines or simulated nodes.
 *
 * @param asked Whether the user asked for simulated ones.
 * @param earlier What an earlier run made; undefined where there is no cluster yet.
 * @param obstacle Why this machine can run none; asked for only where it counts. A cluster that has machines keeps them: the
 *   memory that is free beside them says nothing.
 */
export function chooseMachines(inputs: {
  readonly stack: string;
  readonly asked: boolean;
  readonly earlier: Machines | undefined;
  readonly obstacle: () => string | undefined;
}): Choice {
  if (inputs.asked) {
    return { machines: "simulated" };
  }
  if (inputs.earlier !== undefined) {
    return inputs.earlier === "real"
      ? { machines: "real" }
      : {
          machines: "simulated",
          reason: `Nodes stay simulated, as this cluster was made. For real machines remove it first: npm run local:down -- --stack ${inputs.stack}`,
        };
  }
  const reason = inputs.obstacle();
  return reason === undefined
    ? { machines: "real" }
    : {
        machines: "simulated",
        reason: `Nodes are simulated, since this machine cannot run real ones: ${reason}.`,
      };
}
