// Where `pulumi up` and `pulumi preview` start. An old Node cannot read TypeScript, so this file says which one is needed.

import pulumi from "@pulumi/pulumi";
import { isNewEnough, neededMajor } from "./node-version.mjs";

export default async function program() {
  if (!isNewEnough(process.versions.node)) {
    throw new pulumi.RunError(
      `Kraft needs Node ${neededMajor} or newer, and Pulumi started it with Node ${process.versions.node}.\n` +
        `Install Node ${neededMajor} from https://nodejs.org. On Linux the one that npm installed here will do:\n` +
        'export PATH="$PWD/node_modules/.bin:$PATH"',
    );
  }
  const { default: declare } = await import("./index.ts");
  return declare(undefined, undefined, pulumi.getRootDirectory() || undefined);
}
