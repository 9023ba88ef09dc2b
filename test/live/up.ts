// What `npm run local` does, in a folder that a test chooses.
//
//   node test/live/up.ts <directory>
import { bringUp } from "../../local/bring-up.ts";
import { handleSignals } from "../../local/interruption.ts";

handleSignals();
await bringUp({ stack: "local", directory: process.argv[2] ?? "", charts: undefined, simulated: false });
