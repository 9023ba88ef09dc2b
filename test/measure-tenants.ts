// Measures how long many tenants take from nothing, on the embedded stack `local` with nodes enough for them:
//
//   npm run measure:tenants -- 30
import { styleText } from "node:util";
import { type Stack, stacks } from "../stacks/index.ts";
import { embedded, type Tenants } from "./cluster/embedded.ts";

const count = Number(process.argv[2] ?? "30");
if (!Number.isInteger(count) || count < 1) {
  console.error(`${process.argv[2]}: not a number of tenants`);
  process.exit(2);
}

/** Nodes enough for the pods, since a kubelet runs 110 at most, each with 64 times the memory, CPU and disk. */
function enlarged(stack: Stack): Stack {
  const nodes = Array.from({ length: Math.max(3, Math.ceil(count / 3)) }, (_, index) => {
    const node = stack.nodes[index % stack.nodes.length];
    if (node === undefined) {
      throw new Error(`stack ${stack.name} has no nodes`);
    }
    return {
      ...node,
      name: `simulated-${index + 1}`,
      threads: node.threads * 64,
      memoryGiB: node.memoryGiB * 64,
      longhornGiB: node.longhornGiB * 64,
    };
  });
  return { ...stack, nodes };
}

const local = stacks.get("local");
if (local === undefined) {
  throw new Error("no stack local");
}
(stacks as Map<string, Stack>).set("local", enlarged(local));

const tenants: Tenants = Object.fromEntries(
  Array.from({ length: count }, (_, index) => {
    const name = `tenant${index + 1}`;
    return [name, { domains: [`${name}.example`], size: "small" }];
  }),
);
const host = await embedded("local");
try {
  const config = { "kraft:tenants": tenants, "kraft:capacity": { overcommit: 4 } };
  const first = await host.up(config);
  console.log(`${count} tenants from nothing: ${first.seconds.toFixed(1)} s`);
  for (const { severity, text } of first.messages) {
    console.log(`${styleText(severity === "error" ? "red" : "yellow", severity)}: ${text}`);
  }
  console.log(`a preview after that: ${(await host.preview(config)).seconds.toFixed(1)} s`);
} finally {
  await host.remove();
}
