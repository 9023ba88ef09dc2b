// The operator's tool: npx kraft <verb>
import { runCommandLine } from "./cli/command-line.ts";
import { Output } from "./cli/output.ts";
import { verbs } from "./cli/verbs.ts";

// Whoever reads may stop reading, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
  process.exit();
});

process.exitCode = await runCommandLine(process.argv.slice(2), verbs, new Output());
