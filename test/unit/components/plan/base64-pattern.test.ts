import assert from "node:assert/strict";
import { test } from "node:test";
import { base64Pattern } from "../../../../components/plan/base64-pattern.ts";

const before = '{ "text":"';
const after = '"}';
const padded = `${before}  `;
const pattern = new RegExp(base64Pattern(padded, after));

function matches(text: string | Buffer): boolean {
  return pattern.test(Buffer.from(text).toString("base64"));
}

test("it matches every text of printable ASCII between the words, whatever its length", () => {
  for (let length = 0; length < 200; length += 1) {
    const text = Array.from({ length }, (_, index) => String.fromCharCode(32 + ((index * 7 + length) % 95)));
    assert.ok(matches(`${padded}${text.join("").replaceAll('"', "'")}${after}`), `${length}`);
  }
});

test("it matches no text with any other byte, wherever that is", () => {
  for (let byte = 0; byte < 256; byte += 1) {
    for (let position = 0; position < 6; position += 1) {
      const text = Buffer.from(`${padded}abcdef${after}`);
      text[padded.length + position] = byte;
      assert.equal(matches(text), byte >= 32 && byte < 127 && byte !== 34, `${byte} at ${position}`);
    }
  }
});

test("it matches neither other words around the text, nor anything before or after them", () => {
  for (const text of [
    `${padded}a`,
    `a${after}`,
    `${padded.replace("text", "next")}a${after}`,
    `${padded}a${after}\n---\nkind: ClusterRole`,
    ` ${padded}a${after}`,
    `${padded}a${after}\n`,
    `${padded}a"${after}`,
    "",
  ]) {
    assert.ok(!matches(text), text);
  }
  // What is not base64 at all, or has two ways to be written.
  const written = Buffer.from(`${padded}ab${after}`).toString("base64");
  for (const other of [`${written}\n`, `\n${written}`, written.replace(/=+$/, ""), `${written}====`]) {
    assert.ok(!pattern.test(other), other);
  }
});

test("a beginning that ends within a group is refused", () => {
  assert.throws(() => base64Pattern("abcd", "x"), RangeError);
});
