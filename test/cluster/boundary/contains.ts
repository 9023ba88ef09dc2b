import assert from "node:assert/strict";

/** Fails unless a value has everything that is expected of it. What it has besides, as an API server adds it, is left. */
export function assertContains(actual: unknown, expected: unknown, where = ""): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${where} is no list`);
    const [found, wanted] = [actual, expected].map(sortedByName);
    assert.equal(found?.length, wanted?.length, `${where}: ${JSON.stringify(actual)}`);
    wanted?.forEach((item, index) => {
      assertContains(found?.[index], item, `${where}[${index}]`);
    });
  } else if (typeof expected === "object" && expected !== null) {
    assert.ok(typeof actual === "object" && actual !== null, `${where} is missing`);
    for (const [key, value] of Object.entries(expected)) {
      assertContains(Reflect.get(actual, key), value, `${where}.${key}`);
    }
  } else {
    assert.deepEqual(actual, expected, where);
  }
}

/** Variables and volumes come in any order; what has no name stays where it is. */
function sortedByName(list: readonly unknown[]): readonly unknown[] {
  const name = (item: unknown): string => (item as { readonly name?: string } | null)?.name ?? "";
  return [...list].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}
