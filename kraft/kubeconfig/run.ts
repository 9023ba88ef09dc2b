import type { Host } from "../../cluster/client.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure } from "../../errors/failure.ts";
import { keysOf } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import { moment } from "../cli/moment.ts";
import { invocation, type Run } from "../cli/verb.ts";
import { checkTarget, writeCredential } from "./file.ts";
import { rewriteKubeconfig, validityText } from "./rewrite.ts";

interface Given {
  readonly tenant: string;
  readonly output?: string;
  readonly force?: true;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, output: path, force = false } = given;
  const file = stackFileOf(given, tenant);
  const { domain } = keysOf(file, ["domain"]);
  if (path !== undefined) {
    checkTarget(path, force);
  }
  const source = await kubeconfigOf(await reach(file, output), tenant);
  const server = `https://${tenant}.api.${domain}`;
  const { text, expires } = rewriteKubeconfig(source, tenant, server, "K3k");
  const now = new Date();
  if (expires !== undefined && expires < now) {
    throw new Failure(
      `the kubeconfig of ${tenant} expired on ${moment(expires)}, and was not handed out\n` +
        `  K3k makes a new one when it reconciles: kubectl -n k3k-system rollout restart deployment k3k`,
    );
  }
  output.note(`The kubeconfig of ${tenant} ${validityText(expires, now)}.`);
  if (path !== undefined) {
    writeCredential(path, text, force);
    output.note(`Written to ${path}.`);
  }
  return {
    json: {
      tenant,
      server,
      expires: expires?.toISOString() ?? null,
      kubeconfig: path === undefined ? text : null,
      file: path ?? null,
    },
    text: path === undefined ? text : "",
  };
};

/** The kubeconfig that K3k keeps for a guest. */
async function kubeconfigOf(host: Host, tenant: string): Promise<string> {
  const { namespace, kubeconfigSecret: name } = tenantNames(tenant);
  const secret = await host.get(paths.secrets.named(namespace, name));
  const encoded = secret?.data?.["kubeconfig.yaml"];
  if (encoded === undefined) {
    throw new Failure(
      `there is no kubeconfig yet: Secret ${name} in namespace ${namespace} ${secret === undefined ? "does not exist" : "has no key kubeconfig.yaml"}\n` +
        `  K3k writes it once the guest's API server answers. See what delays it: ${invocation} status`,
    );
  }
  return Buffer.from(encoded, "base64").toString("utf8");
}
