import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Output, type Stream, Style } from "../../../../kraft/cli/output.ts";

function stream(terminal: boolean): Stream & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    isTTY: terminal,
    columns: 60,
    hasColors: () => true,
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
  };
}

const escape = "\u001b[";

describe("progress", () => {
  test("nothing is said about what takes less than a second", async () => {
    const notes = stream(true);
    assert.equal(await new Output(stream(true), notes, {}).during("asking", Promise.resolve(7)), 7);
    assert.deepEqual(notes.written, []);
  });

  test("on a terminal one line that counts and goes away; elsewhere one line, also when it fails", async (context) => {
    context.mock.timers.enable({ apis: ["setInterval", "Date"] });
    for (const [terminal, expected] of [
      [true, ["\r\u001b[Kasking (1 s)", "\r\u001b[Kasking (2 s)", "\r\u001b[K"]],
      [false, ["asking\n"]],
    ] as const) {
      const notes = stream(terminal);
      const results = stream(terminal);
      const { promise, reject } = Promise.withResolvers<never>();
      const work = new Output(results, notes, {}).during("asking", promise);
      context.mock.timers.tick(1000);
      context.mock.timers.tick(1000);
      reject(new Error("no answer"));
      await assert.rejects(work, /no answer/);
      assert.deepEqual(notes.written, expected);
      assert.deepEqual(results.written, []);
    }
  });
});

describe("text of the cluster", () => {
  // Clears the screen, sets the window's title, hides text, writes over the line, turns letters around.
  const hostile = "a\u001b[2J\u001b]0;b\u0007\u001b[8mc\rd\u009be\u202ef\tg\nh";
  const harmless = "a\ufffd[2J\ufffd]0;b\ufffd\ufffd[8mc\ufffdd\ufffde\ufffdf\tg\nh\n";

  test("nothing of it is obeyed by a terminal, in results, documents, notes and errors", () => {
    for (const terminal of [true, false]) {
      const [results, notes] = [stream(terminal), stream(terminal)];
      const output = new Output(results, notes, {});
      output.print([hostile]);
      output.print(hostile);
      output.note(hostile);
      assert.deepEqual([...results.written, ...notes.written], [harmless, harmless, harmless]);
      output.error(hostile);
      assert.ok(notes.written.at(-1)?.endsWith(` ${harmless}`));
    }
  });

  test("colours of the tool's own stay, where there are any", () => {
    const results = stream(true);
    const output = new Output(results, stream(true), {});
    const { title, good, caution, bad } = output.style;
    const text = [title("a"), good("b"), caution("c"), bad("d")].join(" ");
    output.print([text]);
    assert.deepEqual(results.written, [`${text}\n`]);
  });
});

describe("colour", () => {
  test("only on a terminal, each stream for itself, and never with NO_COLOR", () => {
    for (const [results, notes, environment, inResults, inNotes] of [
      [true, true, {}, true, true],
      [false, true, {}, false, true],
      [true, false, {}, true, false],
      [true, true, { NO_COLOR: "" }, true, true],
      [true, true, { NO_COLOR: "0" }, false, false],
    ] as const) {
      const errors = stream(notes);
      const output = new Output(stream(results), errors, environment);
      output.error("wrong");
      assert.equal(output.style.enabled, inResults);
      assert.equal(errors.written.join("").includes(escape), inNotes);
    }
  });

  test("without it a text stays as it is", () => {
    assert.equal(new Style(false).bad("text"), "text");
    assert.notEqual(new Style(true).bad("text"), "text");
  });
});
