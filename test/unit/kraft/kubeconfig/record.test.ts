import assert from "node:assert/strict";
import { test } from "node:test";
import { daysOf } from "../../../../kraft/kubeconfig/guest.ts";
import { readWritten } from "../../../../kraft/kubeconfig/handed-out.ts";
import { endingText, handedOutOf } from "../../../../kraft/kubeconfig/record.ts";
import { k3kKubeconfig } from "../../../fixtures/kraft/k3k-kubeconfig.ts";

function namespace(value: string) {
  return { metadata: { name: "k3k-acme", annotations: { "kraft.dev/kubeconfig": value } } };
}

test("what was handed out is read from the tenant's namespace; what cannot be read was not", () => {
  assert.deepEqual(handedOutOf(namespace("2026-11-29T03:40:00Z 2026-12-29T03:40:00Z token")), {
    at: "2026-11-29T03:40:00Z",
    endsAt: "2026-12-29T03:40:00Z",
    revocable: true,
  });
  for (const value of ["", "soon", "2026-11-29T03:40:00Z", "x 2026-12-29T03:40:00Z token"]) {
    assert.equal(handedOutOf(namespace(value)), undefined, value);
  }
  assert.equal(handedOutOf(undefined), undefined);
});

for (const [days, left, expected] of [
  [365, 100, undefined],
  [365, 20, /^ends on 2026-12-19 /],
  [30, 15, undefined],
  [30, 9, /^ends on 2026-12-08 /],
  [365, -1, /^ended on 2026-11-28 /],
] as const) {
  test(`a kubeconfig of ${days} days, ${left} days before its end`, () => {
    const now = new Date("2026-11-29T12:00:00Z");
    const ends = new Date(now.getTime() + left * 86_400_000);
    const at = new Date(ends.getTime() - days * 86_400_000);
    const text = endingText({ at: at.toISOString(), endsAt: ends.toISOString(), revocable: false }, now);
    if (expected === undefined) {
      assert.equal(text, undefined);
    } else {
      assert.match(text ?? "nothing is said", expected);
    }
  });
}

test("--days is a whole number of days, a year at most", () => {
  assert.equal(daysOf("90"), 90);
  for (const value of ["0", "366", "1.5", "-1", "ten", ""]) {
    assert.throws(() => daysOf(value), { name: "UsageError", message: /allowed: 1 to 365/ }, value);
  }
});

test("the end of a written kubeconfig: that of its certificate or its token; a text that is none has none", () => {
  const ends = new Date("2027-11-23T09:00:00Z");
  assert.deepEqual(readWritten(k3kKubeconfig(ends))?.expires, ends);
  assert.equal(readWritten(k3kKubeconfig(ends))?.revocable, false);
  const payload = Buffer.from(JSON.stringify({ exp: ends.getTime() / 1000 })).toString("base64url");
  const token = readWritten(`clusters: []\nusers: [{name: acme, user: {token: a.${payload}.c}}]`);
  assert.deepEqual([token?.expires, token?.revocable], [ends, true]);
  assert.equal(readWritten("{"), undefined);
  assert.equal(readWritten("just a text")?.expires, undefined);
});
