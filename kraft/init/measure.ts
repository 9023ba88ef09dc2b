import { type NetworkDriver, networkDrivers } from "../../components/plan/machines/system.ts";
import { Failure } from "../../errors/failure.ts";
import { type HostNode, shownHostKey, withHostKeys } from "../host-kubeconfig/ssh.ts";

/** What `hardware` of a node is made of. */
export interface MeasuredHardware {
  readonly threads: number;
  readonly memoryMebibytes: number;
  readonly longhornMebibytes: number;
  readonly networkDrivers: readonly NetworkDriver[];
  /** What the firmware calls the machine; undefined where it says nothing. */
  readonly model: string | undefined;
}

/** A node as it goes into the stack file. */
export interface FoundNode {
  readonly name: string;
  readonly address: string;
  readonly hostKey?: string;
  readonly hardware: MeasuredHardware;
}

/** A machine that was asked over SSH. */
export interface MeasuredMachine extends FoundNode {
  readonly hostKey: string;
  /** The name servers that it uses. */
  readonly resolvers: readonly string[];
  /** Megabits per second of its fastest card with a cable; undefined where none says. */
  readonly networkMbps: number | undefined;
}

/** A machine as the operator names it. */
export interface Place {
  /** Undefined for the machine's own host name. */
  readonly name: string | undefined;
  readonly address: string;
}

/**
 * What is asked of a machine, in one line each: `threads 4`. Nothing is changed there. A card without `device` is one that the
 * system made itself. Ubuntu's resolver keeps the real name servers in a file of its own.
 */
const questions = `
echo "host $(hostname -s)"
echo "addresses $(hostname -I)"
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then echo "root yes"; fi
echo "threads $(nproc)"
sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/memory \\1/p' /proc/meminfo
if mountpoint -q "$longhorn"; then echo "longhorn $(df -P -k "$longhorn" | awk 'NR == 2 { print $2 }')"; fi
for card in /sys/class/net/*; do
  [ -e "$card/device/driver" ] || continue
  echo "driver $(basename "$(readlink "$card/device/driver")")"
  echo "speed $(cat "$card/speed" 2>/dev/null)"
done
echo "model $(cat /sys/class/dmi/id/product_name 2>/dev/null)"
resolv=/etc/resolv.conf
if grep -q '^nameserver 127.0.0.53' $resolv && [ -e /run/systemd/resolve/resolv.conf ]; then resolv=/run/systemd/resolve/resolv.conf; fi
sed -n 's/^nameserver  *\\([^ ]*\\).*$/resolver \\1/p' $resolv
`;

/** The command that asks a machine everything. */
export function measureCommand(longhornPath: string): string {
  return `sh -c 'longhorn=$1; ${questions.replaceAll("'", "'\\''")}' kraft ${longhornPath}`;
}

/** The host keys that the machines show. Throws a Failure naming every machine that does not answer. */
export async function shownHostKeys(places: readonly Place[]): Promise<string[]> {
  const keys = await Promise.all(places.map(({ address }) => shownHostKey(address)));
  const silent = places.filter((_, index) => keys[index] === undefined).map(({ address }) => address);
  if (silent.length > 0) {
    throw new Failure(
      `${silent.join(", ")}: no SSH server with an ed25519 host key answers\n` +
        "  see that the machines are on, at these addresses, and that their ssh runs: docs/machines-homelab.md",
    );
  }
  return keys.map((key = "") => key);
}

/**
 * Measures machines over SSH, with `hostKeys` in their order. Throws a Failure with everything that is in the way, of all machines
 * at once.
 */
export async function measure(
  places: readonly Place[],
  hostKeys: readonly string[],
  {
    user,
    key,
    longhornPath,
  }: { readonly user: string; readonly key: string | undefined; readonly longhornPath: string },
): Promise<MeasuredMachine[]> {
  const nodes = places.map(({ name, address }, index): HostNode => ({
    name: name ?? address,
    address,
    hostKey: hostKeys[index] ?? "",
  }));
  const answers = await withHostKeys(nodes, (ssh) =>
    Promise.all(nodes.map((node) => ssh(node, user, key, measureCommand(longhornPath)))),
  );
  const obstacles: string[] = [];
  const machines = answers.flatMap(({ code, output, why }, index) => {
    const place = places[index] ?? { name: undefined, address: "" };
    const found = code === 0 ? readMeasurement(output, place, hostKeys[index] ?? "", longhornPath) : [refused(why)];
    if (Array.isArray(found)) {
      obstacles.push(...found.map((text) => `${place.address}: ${text}`));
      return [];
    }
    return [found];
  });
  const names = Map.groupBy(machines, ({ name }) => name);
  for (const [name, same] of names) {
    if (same.length > 1) {
      const addresses = same.map(({ address }) => address).join(" and ");
      obstacles.push(
        `${addresses} are both called ${name}: give them host names, or name them: --machines a=${same[0]?.address} …`,
      );
    }
  }
  if (obstacles.length > 0) {
    throw new Failure(`not every machine could be measured\n  ${obstacles.join("\n  ")}`);
  }
  return machines;
}

/** Why ssh failed, with what to do where the machine does not take the key. */
function refused(why: string): string {
  return why.includes("Permission denied (")
    ? `${why} Is this the user, and the key's public half in its authorized_keys? docs/machines-homelab.md, step 2`
    : why;
}

/** What a machine said, or everything that is in the way. */
export function readMeasurement(
  output: string,
  { name, address }: Place,
  hostKey: string,
  longhornPath: string,
): MeasuredMachine | string[] {
  const said = output.split("\n").map((line) => {
    const [key = "", ...rest] = line.split(" ");
    return { key, value: rest.join(" ").trim() };
  });
  const all = (key: string): string[] =>
    said.filter((line) => line.key === key && line.value !== "").map(({ value }) => value);
  const number = (key: string): number | undefined => {
    const value = Number(all(key)[0]);
    return Number.isInteger(value) && value > 0 ? value : undefined;
  };
  const [host = ""] = all("host");
  const threads = number("threads");
  const memory = number("memory");
  const longhorn = number("longhorn");
  const drivers = all("driver");
  const speeds = all("speed")
    .map(Number)
    .filter((speed) => speed > 0);
  const obstacles = [
    ...(all("root").length > 0
      ? []
      : ["the user may not use sudo without a password: docs/machines-homelab.md, step 2"]),
    ...((all("addresses")[0] ?? "").split(" ").includes(address)
      ? []
      : [`that machine does not have this address itself, but ${all("addresses")[0] ?? "none"}`]),
    ...(longhorn === undefined
      ? [
          `no file system is mounted at ${longhornPath}: mount the one that is meant for Longhorn, docs/machines-homelab.md, step 2`,
        ]
      : []),
    ...(threads === undefined || memory === undefined
      ? ["it does not say how many threads or how much memory it has"]
      : []),
  ];
  if (obstacles.length > 0) {
    return obstacles;
  }
  return {
    name: name ?? host,
    address,
    hostKey,
    hardware: {
      threads: threads ?? 0,
      memoryMebibytes: Math.floor((memory ?? 0) / 1024),
      longhornMebibytes: Math.floor((longhorn ?? 0) / 1024),
      networkDrivers: networkDrivers.filter((driver) => drivers.includes(driver)),
      model: all("model")[0]
        ?.replace(/[^ -~]/g, "")
        .slice(0, 80),
    },
    resolvers: all("resolver"),
    networkMbps: speeds.length === 0 ? undefined : Math.max(...speeds),
  };
}
