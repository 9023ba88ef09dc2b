import { stringify } from "yaml";
import { byteQuantity } from "../../components/plan/size.ts";
import type { Values } from "../../infra/config/pulumi-files.ts";
import type { Stack } from "../../stacks/index.ts";
import type { FoundNode } from "./measure.ts";

/** All that a new stack file says. */
export interface Description {
  readonly stack: Stack;
  readonly domain: string;
  /** `uid` is undefined where the cluster does not exist yet. */
  readonly cluster: { readonly kubeconfig: string; readonly context: string; readonly uid?: string };
  readonly nodes: readonly FoundNode[];
  /** Undefined where the machines are set up by hand. */
  readonly machines: { readonly clusterInit: true; readonly user?: string } | undefined;
  readonly resolvers: readonly string[];
  readonly entry: string | undefined;
  readonly backup: { readonly bucket: string; readonly region: string };
  readonly line: { readonly downlinkMbps: number; readonly uplinkMbps: number } | undefined;
}

/** Mebibytes in whole gibibytes, rounded down, or as they are where there is less than one. */
function quantity(mebibytes: number): string {
  return byteQuantity(mebibytes < 1024 ? mebibytes : Math.floor(mebibytes / 1024) * 1024);
}

function nodeValue({ address, hostKey, hardware }: FoundNode): Values {
  const { threads, memoryMebibytes, longhornMebibytes, networkDrivers, model } = hardware;
  return {
    address,
    ...(hostKey === undefined ? {} : { hostKey }),
    hardware: {
      threads,
      memory: quantity(memoryMebibytes),
      longhorn: quantity(longhornMebibytes),
      ...(networkDrivers.length === 0 ? {} : { networkDrivers }),
      ...(model === undefined ? {} : { model }),
    },
  };
}

/** The keys of a new stack file, each with the comment above it. */
function sections(
  description: Description,
): { readonly key: string; readonly value: unknown; readonly comment?: string }[] {
  const { stack, domain, cluster, nodes, machines, resolvers, entry, backup, line } = description;
  return [
    {
      key: "kraft:cluster",
      value: cluster,
      ...(cluster.uid === undefined ? { comment: "Its uid follows once the cluster runs." } : {}),
    },
    {
      key: "kraft:nodes",
      value: Object.fromEntries(nodes.map((node) => [node.name, nodeValue(node)])),
      comment: "Every preview compares this with what the nodes report.",
    },
    ...(machines === undefined
      ? []
      : [
          {
            key: "kraft:machines",
            value: machines,
            comment: "clusterInit is for the first installation only: remove it once uid is set.",
          },
        ]),
    {
      key: "kraft:network",
      value: { resolvers, home: [], ...(entry === undefined ? {} : { entry }) },
      comment: "home: your own public ranges, such as your IPv6 prefix: tenants never reach them.",
    },
    { key: "kraft:domain", value: domain },
    {
      key: "kraft:issuer",
      value: { server: "staging" },
      comment: "Change it to production once a first certificate came from staging.",
    },
    { key: "kraft:backup", value: { ...backup, prefix: stack.name } },
    ...(line === undefined ? [] : [{ key: "kraft:line", value: line }]),
    { key: "kraft:tenants", value: {}, comment: "One entry each: docs/first-steps.md." },
  ];
}

/** The keys of a new stack file as the program gets them. */
export function configOf(description: Description): Values {
  return Object.fromEntries(sections(description).map(({ key, value }) => [key, value]));
}

/**
 * The text of a new stack file. Nothing in it is secret.
 *
 * @param schema Path of the editors' schema, seen from the file; undefined where that is not known.
 */
export function stackFileText(description: Description, today: Date, schema: string | undefined): string {
  const { stack } = description;
  const head = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`, "#"]),
    `# Stack ${stack.name}, described by npx kraft init on ${today.toISOString().slice(0, 10)}.`,
    "config:",
  ];
  const body = sections(description).map(({ key, value, comment }) => {
    const lines = stringify({ [key]: value }, { lineWidth: 0 })
      .trimEnd()
      .split("\n");
    return [...(comment === undefined ? [] : [`# ${comment}`]), ...lines].map((text) => `  ${text}`).join("\n");
  });
  return `${head.join("\n")}\n${body.join("\n\n")}\n`;
}
