import { hostTraits } from "../../components/plan/machines/machine.ts";
import { mebibytes } from "../../components/plan/size.ts";
import type { NodeHardware, Stack } from "../../stacks/index.ts";
import { hardware as schema } from "./keys/hardware.ts";
import { guestVersion as versionSchema } from "./keys/platform.ts";
import type { RawConfig } from "./parse.ts";
import { record } from "./pulumi-files.ts";

/** Orders names as people do: `node-10` after `node-9`. The engine hands a map over in an order of its own. */
const { compare } = new Intl.Collator("en", { numeric: true });

/**
 * A stack with the hardware and the guests' version that its file declares. Where every node of the file has `hardware`, the file
 * also says which nodes there are; on Talos, and where some have none, they are those of `stacks/<stack>.ts`, and only their
 * figures are replaced. What is invalid counts as not written: that it is invalid is reported elsewhere.
 */
export function describedStack(stack: Stack, raw: RawConfig): Stack {
  const { data: guestVersion } = versionSchema.safeParse(raw.values["guestVersion"]);
  return withHardware(guestVersion === undefined ? stack : { ...stack, guestVersion }, raw);
}

function withHardware(stack: Stack, raw: RawConfig): Stack {
  const written = record(raw.values["nodes"]);
  const declared = Object.entries(written).flatMap(([name, node]) => {
    const hardware = nodeHardware(stack, name, record(node)["hardware"]);
    return hardware === undefined ? [] : [hardware];
  });
  if (declared.length === 0) {
    return stack;
  }
  const isWhole = stack.distribution === "k3s" && describesEveryNode(written);
  const nodes = isWhole
    ? declared.toSorted((a, b) => compare(a.name, b.name))
    : stack.nodes.map((node) => declared.find(({ name }) => name === node.name) ?? node);
  return {
    ...stack,
    nodes,
    description: isWhole ? `${nodes.length === 1 ? "1 node" : `${nodes.length} nodes`} on k3s` : stack.description,
    exposure: hostTraits(stack.distribution, nodes.length).exposure,
  };
}

/** Whether the nodes of a stack file all have `hardware`, so that there are no others. */
export function describesEveryNode(nodes: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.values(nodes);
  return entries.length > 0 && entries.every((node) => record(node)["hardware"] !== undefined);
}

function nodeHardware(stack: Stack, name: string, written: unknown): NodeHardware | undefined {
  const { success, data } = schema.safeParse(written);
  if (!success) {
    return undefined;
  }
  const { threads, memory, longhorn, watts, networkDrivers, model = "" } = data;
  return {
    name,
    model,
    threads,
    memoryGiB: mebibytes(memory) / 1024,
    longhornGiB: mebibytes(longhorn) / 1024,
    watts,
    // What the operating system has to be told is no figure: stacks/<stack>.ts knows it.
    machine: stack.nodes.find((node) => node.name === name)?.machine,
    networkDrivers,
  };
}
