import { compare, type SemVer } from "semver";
import type { RunningVersions } from "../../cluster/running-versions.ts";
import { listIf, type Problem } from "../../errors/problem.ts";
import { type DeclaredVersions, versionOf } from "../checks/support.ts";

interface Rules {
  /** Whether a patch may be reverted, because patches do not change the form of stored data. */
  readonly backOnePatch: boolean;
  readonly because: string;
}

const datastore = "an older version does not read what a newer one wrote";
const rules = {
  Kubernetes: { backOnePatch: false, because: datastore },
  Talos: { backOnePatch: false, because: "Talos' own rollback is for an upgrade that does not start" },
  Longhorn: { backOnePatch: false, because: "Longhorn does not go back, and its volumes would not come up" },
  "cert-manager": { backOnePatch: true, because: datastore },
  Traefik: { backOnePatch: true, because: "older minor versions do not know all options that keep tenants apart" },
  K3k: {
    backOnePatch: false,
    because: "guests' Clusters would be read by a controller that does not know all of them",
  },
  "K3s of the guest": { backOnePatch: false, because: datastore },
} as const satisfies Record<string, Rules>;

/**
 * Downgrades and skipped minor versions, neither of which any of these parts supports. Of machines that are set up by
 * hand the stack only states the versions, and the minor version has to be right.
 */
export function versionChangeProblems(
  declared: DeclaredVersions,
  running: RunningVersions,
  managed: boolean,
): Problem[] {
  const file = `stacks/${declared.stack}.ts`;
  const { talos } = declared;
  return [
    ...(managed
      ? step("Kubernetes", `${file}, kubernetesVersion`, running.kubernetes, declared.kubernetes)
      : statement(`${file}, kubernetesVersion`, running.kubernetes, declared.kubernetes)),
    ...(talos === undefined || !managed
      ? []
      : Object.entries(running.talos).flatMap(([node, version]) =>
          step("Talos", `${file}, talosVersion`, version, talos, ` on ${node}`),
        )),
    ...step("Longhorn", "infra/versions.ts, longhorn", running.longhorn, declared.longhorn),
    ...step("cert-manager", "infra/versions.ts, certManager", running.certManager, declared.certManager),
    ...step("Traefik", "infra/versions.ts, traefik", running.traefik, declared.traefik),
    ...step("K3k", `${file}, k3kVersion, or kraft:k3kVersion`, running.k3k, declared.k3k),
    ...Object.entries(running.guests).flatMap(([tenant, { ran }]) =>
      step("K3s of the guest", `${file}, guestVersion, or kraft:guestVersion`, ran, declared.guest, ` in ${tenant}`),
    ),
  ];
}

function step(name: keyof typeof rules, key: string, from: string | undefined, to: string, where = ""): Problem[] {
  if (from === undefined) {
    return [];
  }
  const [before, after] = [versionOf(from), versionOf(to)];
  const problem = (allowed: string, fix: string): Problem[] => [
    { key, found: `${to}, while ${from} runs${where}`, allowed: `${name} ${allowed}`, fix },
  ];
  const { backOnePatch, because } = rules[name];
  if (compare(after, before) < 0 && !(backOnePatch && hasSameMinor(before, after))) {
    return problem(`${from} or newer: ${because}`, `write ${from} back; an older one is a rebuild`);
  }
  if (after.major === before.major && after.minor > before.minor + 1) {
    const next = `${before.major}.${before.minor + 1}`;
    return problem(
      `${before.major}.${before.minor} or ${next}: one minor version at a time`,
      `go to the newest ${next} first, and wait until everything is healthy`,
    );
  }
  return after.major > before.major
    ? problem(`${before.major}.x`, "a new major version is a migration: follow its own guide")
    : [];
}

/** What a stack states of machines that are set up by hand. */
function statement(key: string, from: string | undefined, to: string): Problem[] {
  if (from === undefined) {
    return [];
  }
  const runs = versionOf(from);
  return listIf(!hasSameMinor(runs, versionOf(to)), {
    key,
    found: `${to}, while ${from} runs`,
    allowed: "the minor version that runs: every other part is checked against it",
    fix: `write ${runs.version}; the machines are yours to upgrade, one minor version at a time`,
  });
}

function hasSameMinor(one: SemVer, other: SemVer): boolean {
  return one.major === other.major && one.minor === other.minor;
}
