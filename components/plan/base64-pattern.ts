/**
 * A regular expression for the base64 of a text: the API server hands Secrets to admission policies in that form, and their
 * CEL has no function that decodes it.
 */

type Bytes = ReadonlySet<number>;

const alphabet = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/** Printable ASCII without the quotation mark: what can stand in a string of JSON without ending it. */
const inString: Bytes = new Set(Array.from({ length: 95 }, (_, index) => 32 + index).filter((byte) => byte !== 34));

/**
 * Matches the base64 of every text that begins and ends with these words and has nothing but {@link inString} between.
 *
 * @param before ASCII, with a length that three divides: base64 turns three bytes at a time into four letters
 * @throws RangeError for another length
 */
export function base64Pattern(before: string, after: string): string {
  if (before.length % 3 !== 0) {
    throw new RangeError(`${before.length} bytes do not end where a group of base64 does`);
  }
  const end: readonly Bytes[] = [...Buffer.from(after)].map((byte) => new Set([byte]));
  const tails = [0, 1, 2].map((rest) => lettersOf([...Array.from({ length: rest }, () => inString), ...end]));
  const escaped = Buffer.from(before).toString("base64").replaceAll("+", "[+]");
  return `^${escaped}(${group(inString, inString, inString)})*(${tails.join("|")})$`;
}

/** The letters of some bytes, of each of which it is known what it may be. */
function lettersOf(bytes: readonly Bytes[]): string {
  const zero: Bytes = new Set([0]);
  return Array.from({ length: Math.ceil(bytes.length / 3) }, (_, index) => {
    const [one = zero, two = zero, three = zero] = bytes.slice(index * 3, index * 3 + 3);
    const padding = Math.max(0, index * 3 + 3 - bytes.length);
    return `(${group(one, two, three, padding)})`;
  }).join("");
}

/** The four letters of three bytes. Each letter has six bits, so that the second and the third have parts of two bytes. */
function group(one: Bytes, two: Bytes, three: Bytes, padding = 0): string {
  const found = new Map<string, Set<number>>();
  for (let second = 0; second < 64; second += 1) {
    for (let third = 0; third < 64; third += 1) {
      const firsts = sixes((first) => one.has((first << 2) | (second >> 4)));
      const fourths = sixes((fourth) => three.has(((third & 3) << 6) | fourth));
      if (firsts !== "" && fourths !== "" && two.has(((second & 15) << 4) | (third >> 2))) {
        const key = `${firsts} ${second} ${fourths}`;
        found.set(key, (found.get(key) ?? new Set()).add(third));
      }
    }
  }
  // Second letters that go with the same first, third and fourth ones are one alternative.
  const merged = new Map<string, Set<number>>();
  for (const [key, thirds] of found) {
    const [firsts = "", second = "", fourths = ""] = key.split(" ");
    const others = `${firsts} ${sixes((third) => thirds.has(third))} ${fourths}`;
    merged.set(others, (merged.get(others) ?? new Set()).add(Number(second)));
  }
  return [...merged]
    .map(([key, seconds]) => {
      const [firsts = "", thirds = "", fourths = ""] = key.split(" ");
      const second = sixes((candidate) => seconds.has(candidate));
      return [firsts, second, padding > 1 ? "=" : thirds, padding > 0 ? "=" : fourths].join("");
    })
    .join("|");
}

/** A class of letters: those whose six bits meet a condition; empty where none does. */
function sixes(condition: (bits: number) => boolean): string {
  const codes = alphabet
    .filter((_, bits) => condition(bits))
    .map((letter) => letter.charCodeAt(0))
    .sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const code of codes) {
    const last = ranges.at(-1);
    if (last?.[1] === code - 1) {
      last[1] = code;
    } else {
      ranges.push([code, code]);
    }
  }
  const text = ranges.map(([from, to]) => {
    const [first, last] = [String.fromCharCode(from), String.fromCharCode(to)];
    return from === to ? first : to === from + 1 ? first + last : `${first}-${last}`;
  });
  return codes.length === 0 ? "" : codes.length === 1 && text[0] !== "+" ? text.join("") : `[${text.join("")}]`;
}
