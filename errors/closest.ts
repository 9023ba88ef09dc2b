/**
 * The candidate that a misspelt word most likely stands for: the fewest letters to change, add, drop or swap, and of equals
 * the one that begins like the word. Undefined where even the best needs more than `most` changes, by default a third of the
 * word and at least two.
 */
export function closest(
  word: string,
  candidates: readonly string[],
  most = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  const [best] = candidates
    .map((candidate) => ({
      candidate,
      changes: changesBetween(word.toLowerCase(), candidate.toLowerCase()),
      start: sharedStart(word, candidate),
    }))
    // A word of two letters is not another one of two letters with both replaced.
    .filter(({ candidate, changes }) => changes <= most && changes < Math.max(word.length, candidate.length))
    .sort((a, b) => a.changes - b.changes || b.start - a.start);
  return best?.candidate;
}

/** Letters to change, add, drop or swap with their neighbour (the optimal string alignment distance). */
function changesBetween(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    rows.push(line);
    for (let column = 1; column <= other.length; column++) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1;
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      line.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + differs,
          swapped ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(one.length, other.length);
}

function sharedStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) {
    length++;
  }
  return length;
}
