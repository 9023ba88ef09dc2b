// Which Node Kraft needs: `engines.node` of package.json. Plain JavaScript that an old Node can run.

import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The oldest major version that runs Kraft's TypeScript. */
export const neededMajor = Number(engines.node.replace(">=", ""));

/** @param {string} version for example `20.11.1` @returns {boolean} */
export function isNewEnough(version) {
  return Number(version.split(".")[0]) >= neededMajor;
}
