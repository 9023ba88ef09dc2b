// Renders one stack of one checkout for `checkouts.ts`, in a process of its own: Pulumi's mocks can be set only once, and
// the base may be another version of every file.
//
//   rendering-process.ts <checkout> <stack> <stack file>
import { renderStack } from "./rendering.ts";

const [checkout = "", stack = "", stackFile = ""] = process.argv.slice(2);
const rendering = await renderStack(stack, stackFile, checkout);
// A refused program may leave promises that never settle.
process.send?.(rendering, () => process.exit());
