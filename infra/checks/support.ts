import { coerce, parse, type SemVer } from "semver";
import { listIf, type Problem, type Warning } from "../../errors/problem.ts";
import type { Stack } from "../../stacks/index.ts";
import type { Model } from "../model.ts";
import { type K3kRelease, versions } from "../versions.ts";

/** Every version that a stack declares, as written there. */
export interface DeclaredVersions {
  /** Name of the stack; `stacks/<stack>.ts` declares what is not in `infra/versions.ts`. */
  readonly stack: string;
  readonly kubernetes: string;
  /** Undefined where the host cluster is not on Talos. */
  readonly talos: string | undefined;
  readonly guest: string;
  readonly k3k: string;
  readonly longhorn: string;
  readonly certManager: string;
  readonly traefikChart: string;
  readonly traefik: string;
}

export function declaredVersions({ stack, k3k }: Pick<Model, "stack" | "k3k">): DeclaredVersions {
  return {
    stack: stack.name,
    kubernetes: stack.kubernetesVersion,
    talos: stack.talosVersion,
    guest: stack.guestVersion,
    k3k: k3k.version,
    longhorn: versions.longhorn.version,
    certManager: versions.certManager.version,
    traefikChart: versions.traefik.version,
    traefik: versions.traefik.image,
  };
}

/** The oldest and the newest minor version of Kubernetes 1 that a release supports. */
type Range = readonly [from: number, to: number];

/**
 * Which minor versions of Kubernetes each release line supports. Kraft refuses a line that is not listed: Renovate's pull
 * request fails until somebody adds the row.
 *
 * - Talos: its own library, `pkg/machinery/compatibility`; a test asks it.
 * - Longhorn: longhorn.io/docs/1.12.2/best-practices, tested versions. What its chart refuses is only older than 1.25.
 * - cert-manager: cert-manager.io/docs/releases.
 * - K3k: built with the libraries of Kubernetes 1.35 (k3k 1.1.0, go.mod), and a client of the host's API server, which
 *   Kubernetes supports one minor version to either side (kubernetes.io/releases/version-skew-policy, kubectl). That 1.2
 *   is the same is an assumption.
 */
export const supportedMinors = {
  Talos: { "1.11": [29, 34], "1.12": [30, 35], "1.13": [31, 36] },
  Longhorn: { "1.12": [33, 36] },
  "cert-manager": { "1.20": [32, 35], "1.21": [33, 36] },
  K3k: { "1.1": [34, 36], "1.2": [34, 36] },
} as const satisfies Record<string, Record<string, Range>>;

/** Minor versions of Traefik that each major version of its chart knows (its values.schema.json and templates). */
const traefikOfChart: Readonly<Record<string, readonly string[]>> = { "41": ["3.7"] };

/** Declared versions that do not support each other. */
export function supportProblems(declared: DeclaredVersions): Problem[] {
  const file = `stacks/${declared.stack}.ts`;
  const parts: readonly (readonly [keyof typeof supportedMinors, string | undefined, string])[] = [
    ["Talos", declared.talos, `${file}, talosVersion`],
    ["Longhorn", declared.longhorn, "infra/versions.ts, longhorn"],
    ["cert-manager", declared.certManager, "infra/versions.ts, certManager"],
    ["K3k", declared.k3k, `${file}, k3kVersion, or kraft:k3kVersion`],
  ];
  return [
    ...parts.flatMap(([name, version, key]) =>
      version === undefined ? [] : lineProblems(name, version, key, declared.kubernetes, file),
    ),
    ...guestProblems(declared, file),
    ...traefikProblems(declared),
  ];
}

function lineProblems(
  name: keyof typeof supportedMinors,
  version: string,
  key: string,
  kubernetes: string,
  file: string,
): Problem[] {
  const lines: Readonly<Record<string, Range>> = supportedMinors[name];
  const range = lines[lineOf(version)];
  if (range === undefined) {
    return [
      {
        key,
        found: `${name} ${version}, whose supported Kubernetes versions Kraft does not know`,
        allowed: `${name} ${Object.keys(lines).join(", ")}`,
        fix: "read its release notes, then write a row into infra/checks/support.ts",
      },
    ];
  }
  const [from, to] = range;
  const { minor } = versionOf(kubernetes);
  return listIf(minor < from || minor > to, {
    key: `${file}, kubernetesVersion`,
    found: `Kubernetes ${kubernetes}, with ${name} ${version}`,
    allowed: `Kubernetes 1.${from} to 1.${to}: what ${name} ${lineOf(version)} supports`,
    fix: minor > to ? `move ${name} first (${key})` : "move Kubernetes first, one minor version at a time",
  });
}

/** The host is upgraded before the guests, whose pods it would silently strip of fields that it does not know. */
function guestProblems({ guest, kubernetes }: DeclaredVersions, file: string): Problem[] {
  const { minor } = versionOf(kubernetes);
  const behind = minor - versionOf(guest).minor;
  return listIf(behind < 0 || behind > 1, {
    key: `${file}, guestVersion, or kraft:guestVersion`,
    found: `${guest}, on a host with Kubernetes ${kubernetes}`,
    allowed: `1.${minor}, or 1.${minor - 1} until the guests follow`,
    fix: behind < 0 ? "upgrade the host first" : "upgrade the guests before the host, one minor version at a time",
  });
}

function traefikProblems({ traefik, traefikChart }: DeclaredVersions): Problem[] {
  const known = traefikOfChart[String(versionOf(traefikChart).major)];
  return listIf(known?.includes(lineOf(traefik)) !== true, {
    key: "infra/versions.ts, traefik",
    found: `chart ${traefikChart} with image ${traefik}`,
    allowed: known?.join(", ") ?? `a chart that Kraft knows: ${Object.keys(traefikOfChart).join(", ")}`,
    fix: "move chart and image together; for a new major version of the chart, write a row into infra/checks/support.ts",
  });
}

/** `1.12` of `1.12.1`, `v1.12.1+k3s1` or `1.12.1-rc4`. */
function lineOf(version: string): string {
  const { major, minor } = versionOf(version);
  return `${major}.${minor}`;
}

/** Reads `v1.35.6+k3s1`, the image tag `v1.35.6-k3s1`, and release candidates, which come before their release. */
export function versionOf(text: string): SemVer {
  const bare = text.replace(/-k3s\d+$/, "");
  const found = parse(bare, { loose: true }) ?? coerce(bare);
  if (found === null) {
    throw new Error(`${JSON.stringify(text)} is no version`);
  }
  return found;
}

/** Known defects of a version of K3k on this hardware. */
export function k3kWarnings(release: K3kRelease, stack: Stack): Warning[] {
  const key = `K3k ${release.version}`;
  const { badWithSeveralNodes: bad, caution = "" } = release;
  const nodes = stack.nodes.length;
  return [
    ...listIf(bad !== undefined && nodes > 1, { key, message: `known to be bad on ${nodes} nodes: ${bad}` }),
    ...listIf(caution !== "", { key, message: caution }),
  ];
}
