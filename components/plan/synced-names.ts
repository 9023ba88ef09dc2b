import { createHash } from "node:crypto";

/** The names that K3k gives a guest's objects on the host, and the way back. */

/** What a guest calls an object. */
export interface GuestName {
  readonly name: string;
  readonly namespace: string;
}

/** K3k cuts names from here on, and ends them in a digest (`SafeConcatName` in its pkg/controller/controller.go). */
const longest = 63;

function safeName(text: string): string {
  if (text.length <= longest) {
    return text;
  }
  const digest = createHash("sha256").update(text).digest("hex");
  return /[a-z0-9]/.test(text[56] ?? "")
    ? `${text.slice(0, 57)}-${digest.slice(0, 5)}`
    : `${text.slice(0, 56)}-${digest.slice(0, 6)}`;
}

/** The host's name of a guest's object (`TranslateName` in K3k's k3k-kubelet/translate/host.go). */
export function syncedName(cluster: string, { name, namespace }: GuestName): string {
  const parts = [name, namespace, cluster];
  return safeName(`${parts.join("-")}-${Buffer.from(parts.join("+")).toString("hex")}`);
}

/**
 * What the guest calls the object that has this name on the host: the digits at the end are that name in hexadecimal. Of
 * a name that was cut the words before them are left; every way to part them is tried against the digest.
 *
 * @returns undefined where K3k did not give the name, or cut too much of it.
 */
export function guestName(cluster: string, hostName: string): GuestName | undefined {
  const digits = /-([0-9a-f]+)$/.exec(hostName)?.[1] ?? "";
  const [name = "", namespace = ""] = Buffer.from(digits, "hex").toString("utf8").split("+");
  const candidates: GuestName[] = [{ name, namespace }];
  for (const end of positions(hostName, `-${cluster}-`)) {
    const words = hostName.slice(0, end);
    for (const hyphen of positions(words, "-")) {
      candidates.push({ name: words.slice(0, hyphen), namespace: words.slice(hyphen + 1) });
    }
  }
  return candidates.find((candidate) => syncedName(cluster, candidate) === hostName);
}

/** Where a part begins in a text. A match is empty, so that those that overlap are found, too. */
function positions(text: string, part: string): number[] {
  return [...text.matchAll(new RegExp(`(?=${part})`, "g"))].map(({ index }) => index);
}
