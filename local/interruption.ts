/** Ends the engine kindly where it runs; undefined while it does not. */
let interruptEngine: (() => void) | undefined;

/** Runs the engine with a signal that comes when this process is to end: the engine then writes down what it did. */
export async function whileInterruptible<Result>(engine: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const interruption = new AbortController();
  interruptEngine = () => {
    interruption.abort();
  };
  try {
    return await engine(interruption.signal);
  } finally {
    interruptEngine = undefined;
  }
}

/**
 * What was built and what runs stays for the next run. The engine is given the time to write down what it did; a second
 * signal ends everything at once.
 */
function onSignal(name: NodeJS.Signals, code: number): void {
  process.exitCode = code;
  if (interruptEngine === undefined) {
    console.error("\nkraft: interrupted. The next run goes on from here.");
    process.exit(code);
  }
  console.error("\nkraft: interrupted; waiting for Pulumi to write down what it did (once more: end at once)");
  // A terminal has sent it to the engine too, which would take a second one as an order to end at once.
  if (name !== "SIGINT" || !process.stdin.isTTY) {
    interruptEngine();
  }
  interruptEngine = undefined;
}

/** From now on this process ends as a local run should when it is told to. */
export function handleSignals(): void {
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(name, () => {
      onSignal(name, code);
    });
  }
}
