import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import { readOrUndefined } from "../processes.ts";
import { writeFileWhole } from "../state.ts";
import { internet, provider, router, visitor } from "./addresses.ts";
import { runInMachine } from "./enter.ts";
import { webServer } from "./neighbours.ts";
import type { HomeProcess, MachinePlan } from "./plan.ts";

/** Names of the internet's own servers. `.test` is for tests (RFC 6761). */
export const internetNames = { acme: "acme.internet.test", site: "www.internet.test" } as const;

/** The directory of the internet's certificate authority, as an issuer names it. */
export const acmeDirectory = `https://${internetNames.acme}/dir`;

/** Everything that the name server of the internet answers, kept in a file that it reads again when it changes. */
export function zoneFile(directory: string): string {
  return join(directory, "internet", "zone");
}

/** Names of a platform that lead to the home: the entrypoint, the guests' APIs, and what tenants point there. */
export interface PublicNames {
  /** The platform's domain, for example kraft.test. */
  readonly domain: string;
  /** Tenants with their domains, each with all names below it. */
  readonly tenants: readonly { readonly name: string; readonly domains: readonly string[] }[];
}

/**
 * Writes what the world knows of the home: the operator's record for the entrypoint, and for each tenant's domain what their
 * sheet tells them, an alias for the domain itself and CNAMEs below it.
 */
export function writeZone(directory: string, { domain, tenants }: PublicNames, serial: number): void {
  const entrypoint = `ingress.${domain}.`;
  const records = [
    `. 5 IN SOA ${internetNames.site}. hostmaster.${internetNames.site}. ${serial} 60 60 60 5`,
    `. 5 IN NS ${internetNames.site}.`,
    ...Object.values(internetNames).map((name) => `${name}. 5 IN A ${provider.address}`),
    `${entrypoint} 5 IN A ${router.publicAddress}`,
    `*.api.${domain}. 5 IN CNAME ${entrypoint}`,
    ...tenants
      .flatMap(({ domains }) => domains)
      .flatMap((name) => [`${name}. 5 IN A ${router.publicAddress}`, `*.${name}. 5 IN CNAME ${entrypoint}`]),
  ];
  writeFileWhole(zoneFile(directory), `${records.join("\n")}\n`, 0o644);
}

/** CoreDNS with one configuration, which listens on port 53 of every address of its machine. */
export function nameServer(program: string, corefile: string, logFile: string): HomeProcess {
  return { name: "dns", command: [program, "-conf", corefile], logFile };
}

interface InternetInputs {
  readonly directory: string;
  readonly program: (name: string) => string;
  /** Of the ACME server's own endpoint: paths of certificate and key. */
  readonly certificate: { readonly certificate: string; readonly key: string };
  readonly logFile: (process: string) => string;
}

/**
 * The internet: a name server, a certificate authority (Pebble, Let's Encrypt's own test server, whose validation is real:
 * it resolves the name and fetches the challenge through the router), and a web site that tenants may reach.
 */
export function providerMachine({ directory, program, certificate, logFile }: InternetInputs): MachinePlan {
  const pebble = {
    pebble: {
      listenAddress: `${provider.address}:443`,
      managementListenAddress: `${provider.address}:15000`,
      certificate: certificate.certificate,
      privateKey: certificate.key,
      httpPort: 80,
      tlsPort: 443,
      externalAccountBindingRequired: false,
    },
  };
  const corefile = `. {
  bind ${provider.address}
  file ${zoneFile(directory)} . {
    reload 1s
  }
  errors
}
`;
  return {
    name: provider.name,
    links: [{ network: internet.name, device: "eth0", address: `${provider.address}/${internet.prefix}` }],
    files: [
      { path: "/etc/resolv.conf", text: `nameserver ${provider.address}\n`, mode: 0o644 },
      { path: "/etc/coredns", text: corefile, mode: 0o644 },
      { path: "/etc/pebble.json", text: JSON.stringify(pebble), mode: 0o644 },
      { path: "/srv/index.html", text: "A site on the internet.\n", mode: 0o644 },
    ],
    processes: [
      nameServer(program("coredns"), "/etc/coredns", logFile("internet-dns")),
      {
        name: "acme",
        command: [program("pebble"), "-config", "/etc/pebble.json", "-dnsserver", `${provider.address}:53`, "-strict"],
        // It would sleep before each validation, to make clients wait.
        environment: { PEBBLE_VA_NOSLEEP: "1" },
        logFile: logFile("internet-acme"),
      },
      webServer(logFile("internet-web"), provider.address),
    ],
  };
}

/** The configuration of the router's name server: it asks the internet's. */
export const routerCorefile = `. {
  bind ${router.address}
  forward . ${provider.address}
  errors
}
`;

/**
 * Adds the root certificate that the internet's authority has now to those that it had before: it makes a new one whenever
 * it starts, and what it issued until then stays in use. Returns the path of the file with all of them.
 *
 * @param address Of the authority. Default: the internet's own
 * @throws Failure if the authority does not answer.
 */
export function keepRoots(directory: string, address = provider.address): string {
  const url = `https://${address}:15000/roots/0`;
  // Its own endpoint has a certificate of another authority, and this is no secret.
  const { status, stdout, stderr } = runInMachine(directory, visitor.name, "curl", "-sSk", "--max-time", "5", url);
  if (status !== 0 || !stdout.includes("BEGIN CERTIFICATE")) {
    throw new Failure(`The certificate authority of the embedded internet does not answer: ${stderr}`);
  }
  const file = join(directory, "internet", "roots.pem");
  const known = readOrUndefined(file) ?? "";
  if (!known.includes(stdout)) {
    writeFileWhole(file, `${known}${stdout}`, 0o644);
  }
  return file;
}

/**
 * Asks for a site as a browser on this machine would that trusts the internet's authority only.
 *
 * @param port Of the loopback address, which leads to the home's public address.
 * @returns the status, such as `200`, or what went wrong
 */
export function visit(host: string, port: number, roots: string): Promise<string> {
  return new Promise((resolve) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        servername: host,
        headers: { host },
        ca: readFileSync(roots),
        timeout: 5000,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve(String(response.statusCode));
      },
    );
    call.on("timeout", () => call.destroy(new Error("no answer within 5 s")));
    call.on("error", (error) => {
      resolve(error.message);
    });
    call.end();
  });
}
