import { createHash } from "node:crypto";
import { describesEveryNode } from "../../infra/config/described-stack.ts";
import { placeholder } from "../../infra/config/keys/values.ts";
import { ciphertextOf, mergedConfig, readPulumiFile, readStackYaml, record } from "../../infra/config/pulumi-files.ts";
import { backupKeyNames } from "../../infra/config/rules/secrets.ts";
import { mockedUid } from "./mocked-resources.ts";

/**
 * The configuration of a stack file, with a made-up value wherever a cluster, a passphrase or the owner would be needed, and
 * the keys that are encrypted, or whose placeholder was replaced. Two files get the same made-up values, so that these never
 * show up as a difference.
 */
export function stackConfig(
  stack: string,
  nodes: readonly string[],
  files: { readonly project: string; readonly stack: string },
) {
  const config = mergedConfig(readPulumiFile(files.project), readStackYaml(files.stack));
  const placeholders: string[] = [];
  const secrets: string[] = [];
  const setSecret = (key: string, ciphertext: string): void => {
    // Stands for a value that only the passphrase opens. Another ciphertext gives another: the value may have changed.
    config[key] = createHash("sha256").update(ciphertext).digest("hex");
    secrets.push(key);
  };
  for (const [key, value] of Object.entries(config)) {
    const ciphertext = ciphertextOf(value);
    if (ciphertext !== undefined) {
      setSecret(key, ciphertext);
    }
  }
  const managed = record(config["kraft:backup"])["managed"] === true;
  for (const key of [...backupKeyNames(managed), "guestTokenSeed"].map((name) => `kraft:${name}`)) {
    if (!(key in config)) {
      setSecret(key, "not set");
    }
  }
  config["kraft:cluster"] = {
    kubeconfig: `~/.kube/kraft-${stack}.yaml`,
    context: `kraft-${stack}`,
    ...record(config["kraft:cluster"]),
    uid: mockedUid,
  };
  const domain = config["kraft:domain"];
  if (typeof domain !== "string" || placeholder.domain.test(domain)) {
    config["kraft:domain"] = `${stack}.kraft.test`;
    placeholders.push("kraft:domain");
  }
  const addresses = record(config["kraft:nodes"]);
  const names = describesEveryNode(addresses) ? Object.keys(addresses) : nodes;
  const open = names.flatMap((node, index) => {
    const { address } = record(addresses[node]);
    return address === undefined || isPlaceholder(address)
      ? [[node, { ...record(addresses[node]), address: `192.168.255.${10 + index}` }] as const]
      : [];
  });
  if (open.length > 0) {
    placeholders.push("kraft:nodes");
  }
  config["kraft:nodes"] = { ...addresses, ...Object.fromEntries(open) };
  const network = record(config["kraft:network"]);
  const { resolvers } = network;
  if (!Array.isArray(resolvers) || resolvers.some(isPlaceholder)) {
    config["kraft:network"] = { ...network, resolvers: ["192.168.255.1"] };
    placeholders.push("kraft:network.resolvers");
  }
  return {
    values: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    secrets,
    placeholders,
  };
}

function isPlaceholder(address: unknown): boolean {
  return typeof address === "string" && placeholder.address.test(address);
}
