// Renders one stack of one checkout in a process of its own: Pulumi's mocks can be set once, and a base may be another
// version of every file.
//
//   node kraft/diff/render.ts <checkout> <stack> <stack file> <file for the result as JSON>
import { writeFileSync } from "node:fs";
import { rendered } from "./rendered.ts";

const [checkout = "", stack = "", stackFile = "", result = ""] = process.argv.slice(2);
const { objects, ...rest } = await rendered(stack, stackFile, checkout);
writeFileSync(result, JSON.stringify({ ...rest, objects: [...objects] }));
// What a refused program leaves behind must not be waited for.
process.exit();
