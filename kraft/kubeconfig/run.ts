import type { ConnectedHost } from "../../cluster/client.ts";
import { UsageError } from "../../errors/failure.ts";
import type { StackFile } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import { moment } from "../cli/moment.ts";
import type { Output } from "../cli/output.ts";
import { type Result, type Run } from "../cli/verb.ts";
import { checkTarget, writeCredential } from "./file.ts";
import { daysOf, guestApi, revokeTokens } from "./guest.ts";
import { k3kKubeconfigOf, newKubeconfig, noteHandedOut, serverOf, writtenAt } from "./handed-out.ts";
import { forgetRevoked } from "./record.ts";
import { validityText } from "./rewrite.ts";

interface Given {
  readonly tenant: string;
  readonly output?: string;
  readonly force?: true;
  readonly days?: string;
  readonly via?: string;
  readonly renew?: true;
  readonly revoke?: true;
}

export const run: Run<Given> = async (given, output) => {
  refuseCombinations(given);
  const { tenant, output: path, force = false, renew = false, via } = given;
  const days = given.days === undefined ? undefined : daysOf(given.days);
  const file = stackFileOf(given, tenant);
  const server = serverOf(file, tenant);
  if (given.revoke === true) {
    return revoked(await reach(file, output), file, given, output);
  }
  if (path !== undefined && renew) {
    const { expires, revocable } = writtenAt(path, tenant, server);
    if (revocable && days === undefined) {
      throw new UsageError(
        `${path} was made with --days\n  allowed: --renew --days <days>, for how many it is from now`,
      );
    }
    output.note(`The kubeconfig in ${path} ${validityText(expires, new Date())}.`);
  } else if (path !== undefined) {
    checkTarget(path, force);
  }
  const host = await reach(file, output);
  const made = await newKubeconfig(host, file, tenant, { days, via }, output);
  output.note(`The kubeconfig of ${tenant} ${validityText(made.expires, new Date())}.`);
  if (path !== undefined) {
    writeCredential(path, made.text, force || renew);
    output.note(`Written to ${path}.`);
  }
  await noteHandedOut(host, tenant, made, output);
  return {
    json: {
      tenant,
      server,
      expires: made.expires?.toISOString() ?? null,
      kubeconfig: path === undefined ? made.text : null,
      file: path ?? null,
    },
    text: path === undefined ? made.text : "",
  };
};

function refuseCombinations({ output: path, force, days, via, renew, revoke }: Given): void {
  if (revoke === true && (path !== undefined || force === true || days !== undefined || renew === true)) {
    throw new UsageError("--revoke hands nothing out\n  allowed: alone, or with --via");
  }
  if (renew === true && path === undefined) {
    throw new UsageError("--renew replaces the kubeconfig in a file\n  allowed: together with -o <file>");
  }
  if (via !== undefined && days === undefined && revoke !== true) {
    throw new UsageError("--via is where the guest is asked\n  allowed: together with --days or --revoke");
  }
}

/** Takes back what was handed out with `--days`, and says what cannot be taken back. */
async function revoked(host: ConnectedHost, file: StackFile, { tenant, via }: Given, output: Output): Promise<Result> {
  const { text, server, expires } = await k3kKubeconfigOf(host, file, tenant);
  const guest = await guestApi(text, tenant, via);
  await output.during(`asking ${via ?? server}`, revokeTokens(guest));
  await forgetRevoked(host, tenant);
  const until = expires === undefined ? "until they expire" : `until they expire, ${moment(expires)} at the latest`;
  return {
    json: { tenant, server, revoked: true },
    text: [
      `No kubeconfig of ${tenant} that was handed out with --days works any more.`,
      `Those without --days hold a certificate, which K3k cannot revoke: they work ${until}.`,
      "Whoever used one may have made other credentials in the guest. Suspend the tenant to keep everybody out.",
    ],
  };
}
