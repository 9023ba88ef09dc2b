import { placeholder } from "../infra/config/keys/values.ts";
import { ciphertextOf, type PulumiFile, record } from "../infra/config/pulumi-files.ts";
import type { Stack } from "../stacks/index.ts";

/** A Pulumi.yaml, as far as the local run changes it. */
export interface ProjectFile extends PulumiFile {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** The keys of Wasabi, in whose place the cluster's own S3 server stands. */
export const s3Secrets = ["kraft:wasabiAccessKeyId", "kraft:wasabiSecretAccessKey"] as const;

/** Where the nodes of an embedded cluster and their name server are. */
export interface NodeAddresses {
  readonly node: (name: string) => string;
  readonly router: string;
}

/** Values that only the owner knows; a local run makes its own, once. */
export const generatedSecrets = [...s3Secrets, "kraft:guestTokenSeed"] as const;
export type GeneratedSecret = (typeof generatedSecrets)[number];

/**
 * The stack file of a local run: the checkout's, with what a simulated cluster needs to be different.
 *
 * @param previous the stack file of the run before, whose secrets are kept: new ones would change the platform
 * @param overrides values that win over everything, by key
 */
export function localStackFile(inputs: {
  readonly stack: Pick<Stack, "name" | "nodes" | "k3kVersion">;
  readonly checkout: PulumiFile;
  readonly previous: PulumiFile | undefined;
  readonly cluster: { readonly kubeconfig: string; readonly context: string; readonly uid: string };
  readonly addresses: NodeAddresses;
  /** The directory of an ACME server that can be reached, in place of Let's Encrypt's. */
  readonly acmeDirectory?: string;
  readonly charts: string;
  readonly k3kVersion: string;
  /** The cluster's own S3 server, and whether its keys are other than those of the run before. */
  readonly s3: { readonly endpoint: string; readonly keysAreNew: boolean };
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
}): {
  readonly file: PulumiFile;
  /** What the local run changed of what the stack declares, each as a sentence for the summary. */
  readonly changes: readonly string[];
  /** Secrets that are still to be set. */
  readonly missingSecrets: readonly GeneratedSecret[];
} {
  const { addresses, stack, previous } = inputs;
  const changes: string[] = [];
  // The checkout's encrypted values belong to its owner's passphrase.
  const config: Record<string, unknown> = Object.fromEntries(
    Object.entries(inputs.checkout.config ?? {}).filter(([, value]) => ciphertextOf(value) === undefined),
  );
  config["kraft:cluster"] = inputs.cluster;
  const nodes = record(config["kraft:nodes"]);
  config["kraft:nodes"] = Object.fromEntries(
    stack.nodes.map(({ name }) => {
      const { hardware } = record(nodes[name]);
      return [name, { address: addresses.node(name), ...(hardware === undefined ? {} : { hardware }) }];
    }),
  );
  config["kraft:charts"] = { source: "folder", path: inputs.charts };
  const declared = config["kraft:k3kVersion"] ?? stack.k3kVersion;
  if (declared !== inputs.k3kVersion) {
    config["kraft:k3kVersion"] = inputs.k3kVersion;
    changes.push(
      `K3k is ${inputs.k3kVersion}; the stack declares ${JSON.stringify(declared)}, whose controller cannot be built here`,
    );
  }
  const domain = config["kraft:domain"];
  if (typeof domain === "string" && placeholder.domain.test(domain)) {
    config["kraft:domain"] = `${stack.name}.kraft.test`;
    changes.push(`the platform's domain is ${stack.name}.kraft.test in place of the placeholder ${domain}`);
  }
  const network = config["kraft:network"] as { readonly resolvers?: readonly string[] } | undefined;
  if (network?.resolvers?.some((address) => placeholder.address.test(address)) === true) {
    config["kraft:network"] = { ...network, resolvers: [addresses.router] };
    changes.push(
      `the nodes' name server is ${addresses.router} in place of the placeholder ${String(network.resolvers)}`,
    );
  }
  if (inputs.acmeDirectory !== undefined) {
    config["kraft:issuer"] = { ...record(config["kraft:issuer"]), server: inputs.acmeDirectory };
    changes.push(
      `certificates come from ${inputs.acmeDirectory} in the embedded internet, and never from Let's Encrypt`,
    );
  }
  const backup = config["kraft:backup"];
  if (typeof backup === "object" && backup !== null) {
    const { managed, ...rest } = record(backup);
    config["kraft:backup"] = { ...rest, endpoint: inputs.s3.endpoint };
    changes.push(`backups go to the cluster's own S3 server, ${inputs.s3.endpoint}, and never to Wasabi`);
    if (managed === true) {
      changes.push("the local run makes the bucket itself, so kraft:backup.managed is left out");
    }
  }
  if (config["kraft:dashboards"] === "grafana") {
    delete config["kraft:dashboards"];
    changes.push("Grafana does not run here, since its image cannot be built, so kraft:dashboards is left out");
  }
  const tenants = Object.entries(record(config["kraft:tenants"]));
  if (config["kraft:source"] !== undefined || tenants.some(([, entry]) => "from" in record(entry))) {
    delete config["kraft:source"];
    config["kraft:tenants"] = Object.fromEntries(
      tenants.map(([name, entry]) => {
        const { from: _, ...rest } = record(entry);
        return [name, rest];
      }),
    );
    changes.push("there is no other cluster to move from: tenants with `from` are taken as this one's own");
  }
  Object.assign(config, inputs.overrides);
  const missingSecrets: GeneratedSecret[] = [];
  for (const key of generatedSecrets.filter((name) => !(name in config))) {
    const kept = previous?.config?.[key];
    const replaced = inputs.s3.keysAreNew && s3Secrets.some((name) => name === key);
    if (ciphertextOf(kept) !== undefined && previous?.encryptionsalt !== undefined && !replaced) {
      config[key] = kept;
    } else {
      missingSecrets.push(key);
    }
  }
  return {
    file: previous?.encryptionsalt === undefined ? { config } : { encryptionsalt: previous.encryptionsalt, config },
    changes,
    missingSecrets,
  };
}

/** The project file of a local run: the checkout's, with the provider that Kraft runs instead of a downloaded one. */
export function localProjectFile(
  checkout: ProjectFile,
  provider: { readonly folder: string; readonly version: string },
): ProjectFile {
  const { main: _main, ...project } = checkout;
  return {
    ...project,
    plugins: { providers: [{ name: "kubernetes", path: provider.folder, version: provider.version }] },
  };
}
