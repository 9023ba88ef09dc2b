// What `npm run local` does, in a folder that a test chooses.
//
//   node test/live/up.ts <directory> [keys of the stack file that win, as JSON] [stack]
import { bringUp } from "../../local/bring-up.ts";
import { handleSignals } from "../../local/interruption.ts";

const [directory = "", config = "{}", stack = "local"] = process.argv.slice(2);
handleSignals();
await bringUp({
  stack,
  directory,
  charts: undefined,
  simulated: false,
  config: JSON.parse(config) as Readonly<Record<string, unknown>>,
});
