/** Seconds between two progress lines where the output is no terminal. */
const quietSeconds = 30;

/** Where a long command says what it does. Everything goes to standard error: standard output is for results. */
export interface Reporter {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on right now: one line that is overwritten on a terminal, else a line now and then. */
  progress(text: string): void;
  /** Takes the progress line away. */
  done(): void;
}

export function terminalReporter(stream: NodeJS.WriteStream = process.stderr): Reporter {
  const terminal = stream.isTTY;
  let shown = false;
  let lastWritten = Date.now();
  const clear = (): void => {
    if (shown) {
      stream.write("\r\u001b[K");
      shown = false;
    }
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
      lastWritten = Date.now();
    },
    progress(text) {
      if (terminal) {
        stream.write(`\r\u001b[K${text.slice(0, Math.max(20, stream.columns - 1))}`);
        shown = true;
      } else if (Date.now() - lastWritten >= quietSeconds * 1000) {
        stream.write(`${text}\n`);
        lastWritten = Date.now();
      }
    },
    done: clear,
  };
}

/** Says nothing; for tests. */
export const silentReporter: Reporter = { line: ignore, progress: ignore, done: ignore };

export function ignore(): void {
  // Nothing is shown.
}

/** `95` is `1 min 35 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
