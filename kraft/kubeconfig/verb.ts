import type { Host } from "../../cluster/client.ts";
import { exitCodes, type Verb } from "../cli/verb.ts";

interface Options {
  readonly stack?: string;
  readonly output?: string;
  readonly force?: true;
}

/** The part of a Secret that is read here. */
interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * `kraft kubeconfig <tenant>`: the tenant's own kubeconfig.
 *
 * With `--json`: `{ tenant, server, expires, kubeconfig, file }`; `expires` is RFC 3339 or null, and one of `kubeconfig`
 * (the YAML) and `file` (where it was written) is null.
 */
export const kubeconfig: Verb<Options> = {
  name: "kubeconfig",
  summary: "print a tenant's own kubeconfig, which points at the name they reach",
  details:
    "It makes its owner administrator of the guest cluster, and cannot be revoked before it expires: hand it over in\n" +
    "private. When its certificate expires is said on standard error. K3k makes a new one at every reconcile.",
  examples: ["kubeconfig acme -o acme.yaml", "kubeconfig acme --stack homelab > acme.yaml"],
  define(command) {
    command
      .argument("<tenant>", "tenant of the stack file")
      .option("--stack <stack>", "stack; default: the only one whose file names its cluster")
      .option("-o, --output <file>", "write it there, readable by you alone")
      .option("--force", "replace a file that is there already");
  },
  async run({ operands: [tenant = ""], options, output }) {
    const [
      { chosenStackFile, directoryOf, knownTenant },
      { keysOf },
      { tenantNames },
      rewrite,
      files,
      { distance, moment },
    ] = await Promise.all([
      import("../cli/choice.ts"),
      import("../../infra/config/stack-file.ts"),
      import("../../components/plan/names.ts"),
      import("./rewrite.ts"),
      import("./file.ts"),
      import("../cli/moment.ts"),
    ]);
    const force = options.force === true;
    const file = chosenStackFile(options.stack, directoryOf(options));
    knownTenant(tenant, file);
    const { cluster, domain } = keysOf(file, ["cluster", "domain"]);
    if (options.output !== undefined) {
      files.checkTarget(options.output, force);
    }
    const { namespace } = tenantNames(tenant);
    const { hostOf } = await import("../cli/host.ts");
    const source = await output.during(
      `asking the cluster ${cluster.context}`,
      hostOf(file, cluster).then((host) => kubeconfigOf(host, namespace, `k3k-${tenant}-kubeconfig`)),
    );
    const { server, text, expires } = rewrite.tenantKubeconfig(source, tenant, `https://${tenant}.api.${domain}`);
    const now = new Date();
    if (expires !== undefined && expires < now) {
      const { Failure } = await import("../../errors/failure.ts");
      throw new Failure(
        `the kubeconfig of ${tenant} expired on ${moment(expires)}, and was not handed out\n` +
          `  K3k makes a new one when it reconciles: kubectl -n k3k-system rollout restart deployment k3k`,
      );
    }
    output.note(
      expires === undefined
        ? `The kubeconfig of ${tenant} has no client certificate: when it expires is not known.`
        : `The kubeconfig of ${tenant} is valid until ${moment(expires)} (${distance(expires, now)}).`,
    );
    if (options.output !== undefined) {
      files.writeCredential(options.output, text, force);
      output.note(`Written to ${options.output}.`);
    }
    if (options.json === true) {
      output.printJson({
        tenant,
        server,
        expires: expires?.toISOString() ?? null,
        kubeconfig: options.output === undefined ? text : null,
        file: options.output ?? null,
      });
    } else if (options.output === undefined) {
      output.print(text);
    }
    return exitCodes.fine;
  },
};

/** The kubeconfig that K3k keeps for a guest. */
async function kubeconfigOf(host: Host, namespace: string, name: string): Promise<string> {
  const secret = await host.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
  const encoded = secret?.data?.["kubeconfig.yaml"];
  if (encoded === undefined) {
    const { Failure } = await import("../../errors/failure.ts");
    throw new Failure(
      `there is no kubeconfig yet: Secret ${name} in namespace ${namespace} ${secret === undefined ? "does not exist" : "has no key kubeconfig.yaml"}\n` +
        "  K3k writes it once the guest's API server answers. See what holds it up: npm run kraft -- status",
    );
  }
  return Buffer.from(encoded, "base64").toString("utf8");
}
