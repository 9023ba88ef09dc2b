import { z } from "zod";
import { closest } from "../../../errors/closest.ts";
import { between, expect, integer, text } from "./values.ts";

/** Normal operation, or restoring from backups. */
export const phaseNames = ["run", "restore"] as const;

/** Let's Encrypt's two directories. */
const issuerServers = ["production", "staging"] as const;

const issuerExpectation = expect(
  "production, staging (both Let's Encrypt), or the https URL of an ACME directory",
  (found) => {
    const meant = typeof found === "string" ? closest(found, issuerServers) : undefined;
    return meant === undefined ? "begin with staging; production allows few certificates per week" : `write ${meant}`;
  },
);
export const issuer = z.strictObject(
  {
    server: z
      .union([z.enum(issuerServers), z.url({ protocol: /^https$/, ...issuerExpectation })], issuerExpectation)
      .describe("production or staging (both Let's Encrypt), or the https URL of an ACME directory"),
    email: z
      .email(expect("an e-mail address", "write one that you read, or leave the key out"))
      .optional()
      .describe("Where the certificate authority may write to"),
  },
  expect(
    "a map with server and email",
    (found) => `for example \`kraft:issuer: { server: ${found === "production" ? found : "staging"} }\``,
  ),
);

/** K3s' image tags; of its releases, the version has a plus sign in place of the last hyphen. */
export const guestVersion = text(
  /^v\d+\.\d+\.\d+(?:-rc\d+)?-k3s\d+$/,
  expect("an image tag of rancher/k3s, such as v1.35.6-k3s1", (found) => {
    const [, version, revision = "1"] = /^v?(\d+\.\d+\.\d+(?:-rc\d+)?)(?:[+-]k3s(\d+))?$/.exec(String(found)) ?? [];
    return `${version === undefined ? "" : `write v${version}-k3s${revision}, or `}remove the key to run the stack's own version`;
  }),
);

export const charts = z
  .discriminatedUnion(
    "source",
    [
      z.strictObject({ source: z.literal("upstream") }, expect("only source", "remove what upstream does not need")),
      z.strictObject(
        {
          source: z.literal("folder"),
          path: text(
            /^\.{0,2}\//,
            expect("a path that starts with ./, ../ or /", "for example `path: ./charts`, filled by `helm pull`"),
          ).describe("Folder with one <chart>-<version>.tgz per chart, as `helm pull` writes them"),
        },
        expect("source and path", "for example `{ source: folder, path: ./charts }`"),
      ),
      z.strictObject(
        {
          source: z.literal("oci"),
          registry: text(
            /^oci:\/\/[^/]+(\/[^/]+)*$/,
            expect("oci://registry/path without a trailing slash", "for example oci://registry.example/charts"),
          ).describe("Mirror that holds all charts, for example oci://registry.example/charts"),
        },
        expect("source and registry", "for example `{ source: oci, registry: oci://registry.example/charts }`"),
      ),
    ],
    expect("a map with source: upstream, folder or oci", "for example `kraft:charts: { source: upstream }`"),
  )
  .default({ source: "upstream" })
  .describe("Where Helm charts come from: upstream, a folder, or an OCI mirror. Default: upstream");

export const storage = z.strictObject(
  {
    replicas: integer(1, 10, expect("a whole number from 1 to 10", "for example `replicas: 2`"))
      .optional()
      .describe("Copies of every new volume, each on a node of its own; default: 2, or 1 on a single node"),
  },
  expect("a map with replicas", "for example `kraft:storage: { replicas: 2 }`"),
);

export const capacity = z
  .strictObject(
    {
      // As OpenStack's Nova does with CPU (`initial_cpu_allocation_ratio`). Kubernetes allows quotas that add up to more
      // than there is, and serves whoever asks first.
      overcommit: between(
        1,
        16,
        expect("a number from 1 to 16", "for example `overcommit: 4`; with 1 everything promised can be used at once"),
      )
        .default(4)
        .describe("How many times CPU and pods may be promised to tenants; memory and volumes only once. Default: 4"),
    },
    expect("a map with overcommit", "for example `kraft:capacity: { overcommit: 4 }`"),
  )
  .prefault({});

const timezoneExpectation = expect(
  "the name of a time zone",
  (found) =>
    `${(typeof found === "string" ? closest(found, Intl.supportedValuesOf("timeZone")) : undefined) ?? "for example Europe/Berlin"}; Longhorn itself knows UTC only`,
);

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const timezone = z.string(timezoneExpectation).refine(isTimezone, timezoneExpectation);
