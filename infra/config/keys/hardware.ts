import { z } from "zod";
import { networkDrivers } from "../../../components/plan/machines/system.ts";
import { between, bytes, choice, expect, integer, text } from "./values.ts";

/** The hardware of one node, as its operating system shows it. */
export const hardware = z.strictObject(
  {
    threads: integer(
      1,
      1024,
      expect("a whole number of processor threads, from 1 to 1024", "read it on the node with: nproc"),
    ).describe("Processor threads: what the node reports as CPU"),
    memory: bytes("31Gi").describe(
      "Memory: what the kernel has of it (MemTotal in /proc/meminfo), or what is installed, for example 31Gi",
    ),
    longhorn: bytes("690Gi").describe(
      "Size of the file system that Longhorn keeps volumes on, not of the whole disk, for example 690Gi",
    ),
    watts: between(
      0.1,
      10_000,
      expect("the power that the machine draws, in watts", "measure it at the socket, between idle and ordinary work"),
    )
      .optional()
      .describe(
        "Watts that the machine draws from the socket, between idle and ordinary work; needed with kraft:prices",
      ),
    networkDrivers: z
      .array(
        choice(networkDrivers),
        expect(`a list of drivers that need help: ${networkDrivers.join(", ")}`, "leave the key out where it has none"),
      )
      .default([])
      .describe("Drivers of its network cards that need help: e1000e, Intel's, hangs without it. Default: none"),
    model: text(/^[ -~]{1,80}$/, expect("what the machine is called, in one line", "for example OptiPlex 3070"))
      .optional()
      .describe("What the machine is called, for people"),
  },
  expect(
    "a map with threads, memory, longhorn and, where needed, watts, networkDrivers and model",
    "for example `hardware: { threads: 4, memory: 31Gi, longhorn: 690Gi, watts: 15 }`",
  ),
);
