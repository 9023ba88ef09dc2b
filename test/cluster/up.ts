// One `up` of a stack whose cluster runs, in a process of its own that a test can kill:
//   node test/cluster/up.ts <stack> <directory>
import { embeddedIn } from "./embedded.ts";

const [name = "", directory = ""] = process.argv.slice(2);
const host = await embeddedIn(name, directory);
await host.up();
host.cluster.api.close();
