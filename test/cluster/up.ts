// What `npm run local -- --simulated` does, in a folder that a test chooses: ends with status 1 and the reason if it fails.
//
//   node test/cluster/up.ts <directory>
import { messageOf } from "../../errors/failure.ts";
import { bringUp } from "../../local/bring-up.ts";

const [directory = ""] = process.argv.slice(2);
try {
  await bringUp({ stack: "local", directory, charts: undefined, simulated: true });
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
