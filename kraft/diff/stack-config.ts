import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { requiredSecrets } from "../../infra/config/rules/backup-keys.ts";
import { mockedUid } from "./declared.ts";

type Values = Readonly<Record<string, unknown>>;

/** The configuration that a stack file is rendered with, as the engine would hand it over. */
export interface StackConfig {
  readonly values: Readonly<Record<string, string>>;
  /** Keys that are encrypted. */
  readonly secrets: readonly string[];
  /** Keys in which something stands in for what only the owner knows. */
  readonly placeholders: readonly string[];
}

/** Addresses that the stack files hold until the owner writes their own. */
const documentation = "192.0.2.";

/**
 * What a stack file says, over the defaults of the project file, with a stand-in wherever a cluster, a passphrase or the
 * owner would be needed. Two files give the same stand-ins, so that they never show up as a difference.
 *
 * @param nodes Names of the stack's nodes.
 */
export function stackConfig(
  stack: string,
  nodes: readonly string[],
  files: { readonly project: string; readonly stack: string },
): StackConfig {
  const declared = { ...defaultsOf(configIn(files.project)), ...configIn(files.stack) };
  const config: Record<string, unknown> = {};
  const placeholders: string[] = [];
  const secrets: string[] = [];
  for (const [key, value] of Object.entries(declared)) {
    const ciphertext = ciphertextOf(value);
    config[key] = ciphertext === undefined ? value : fingerprint(ciphertext);
    if (ciphertext !== undefined) {
      secrets.push(key);
    }
  }
  for (const name of requiredSecrets(record(config["kraft:backup"])["managed"] === true)) {
    const key = `kraft:${name}`;
    if (!(key in config)) {
      config[key] = fingerprint("not set");
      secrets.push(key);
    }
  }
  const { uid: _uid, ...cluster } = record(config["kraft:cluster"]);
  config["kraft:cluster"] = {
    kubeconfig: `~/.kube/kraft-${stack}.yaml`,
    context: `kraft-${stack}`,
    ...cluster,
    uid: mockedUid,
  };
  const domain = config["kraft:domain"];
  if (typeof domain !== "string" || domain.endsWith(".invalid")) {
    config["kraft:domain"] = `${stack}.kraft.test`;
    placeholders.push("kraft:domain");
  }
  const addresses = record(config["kraft:nodes"]);
  config["kraft:nodes"] = {
    ...addresses,
    ...Object.fromEntries(
      nodes.flatMap((node, index) => {
        const address = record(addresses[node])["address"];
        const isOpen = address === undefined || (typeof address === "string" && address.startsWith(documentation));
        return isOpen ? [[node, { address: `192.168.255.${10 + index}` }]] : [];
      }),
    ),
  };
  if (JSON.stringify(config["kraft:nodes"]) !== JSON.stringify(addresses)) {
    placeholders.push("kraft:nodes");
  }
  const network = record(config["kraft:network"]);
  const resolvers = network["resolvers"];
  if (!Array.isArray(resolvers) || resolvers.some((address) => String(address).startsWith(documentation))) {
    config["kraft:network"] = { ...network, resolvers: ["192.168.255.1"] };
    placeholders.push("kraft:network.resolvers");
  }
  return {
    values: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, asText(value)])),
    secrets,
    placeholders,
  };
}

/** The engine knows only texts, and JSON in them. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Stands for a value that only the passphrase opens. Another ciphertext gives another: the value may have changed. */
function fingerprint(ciphertext: string): string {
  return createHash("sha256").update(ciphertext).digest("hex");
}

function ciphertextOf(value: unknown): string | undefined {
  const secure = record(value)["secure"];
  return typeof secure === "string" ? secure : undefined;
}

function configIn(file: string): Values {
  return existsSync(file) ? record(record(parse(readFileSync(file, "utf8")))["config"]) : {};
}

/** The keys that a project file gives to every stack. */
function defaultsOf(config: Values): Values {
  return Object.fromEntries(
    Object.entries(config)
      .map(([key, entry]) => [key, record(entry)["value"] ?? record(entry)["default"]] as const)
      .filter(([, value]) => value !== undefined && value !== "" && JSON.stringify(value) !== "{}"),
  );
}

function record(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}
