// A domain is taken from one tenant and given to another, part of the rehearsal `domains`.
import { setTimeout as sleep } from "node:timers/promises";
import { paths } from "../../cluster/paths.ts";
import { messageOf } from "../../errors/failure.ts";
import { removalCommand } from "../../infra/guards/served-domains.ts";
import { router } from "../../local/home/addresses.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { namespace, old, other, pageOf, type Scene, taken, tenant, tenantsWith } from "./domain-scene.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import {
  certificateFor,
  ingresses,
  ingressFor,
  problemsOf,
  quietStatus,
  removeFromGuest,
  secretOf,
  visitorOf,
} from "./sites.ts";

export async function domainTaken({ rehearsal, home, config }: Scene): Promise<void> {
  const api = await home.guest(tenant).api();
  await api.create(ingresses, ingressFor(old));
  await eventually(old, () => Promise.resolve(pageOf(home, old) === `the page of ${tenant}\n` ? true : undefined), 120);
  const [leftover] = (await home.host().list(paths.ingresses.in(namespace))).filter(({ spec }) =>
    spec?.rules?.some(({ host }) => host === old),
  );
  const command = removalCommand(tenant, { ingress: leftover?.metadata.name ?? "", host: old });

  const given = await rehearsal.step("the domain is blue's at once, pulumi up", () =>
    refusal(home, { ...config, ...tenantsWith(other) }),
  );
  rehearsal.expect(
    "it is refused, with the command",
    given,
    given.includes(`an Ingress of ${tenant} serves ${old}`) && given.includes(command),
  );
  // The world's name server knows only what the home's runs tell it; the tenant's own would go on leading here.
  const visitor = visitorOf(rehearsal, home, old, [
    "--cacert",
    home.roots,
    "--resolve",
    `${old}:443:${router.publicAddress}`,
  ]);
  const start = Date.now();
  const printed = await rehearsal.step("the domain is nobody's, pulumi up", () =>
    home.bringUp({ ...config, ...tenantsWith(undefined) }),
  );
  rehearsal.expect(
    "it warns, with the command",
    printed.includes(command) ? "yes" : printed,
    printed.includes(command),
  );
  const refused = await eventually(
    "the guest's own rule",
    async () => {
      const { status, text } = await api.send("POST", `${ingresses}?dryRun=All`, { body: ingressFor(`new.${taken}`) });
      return status === 422 || status === 403 ? text : undefined;
    },
    180,
  );
  rehearsal.figure("a new Ingress under it is refused, after", clock((Date.now() - start) / 1000));
  rehearsal.expect("the guest says why", messageIn(refused), refused.includes("not within your domains"));
  const status = await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"), 1);
  rehearsal.expect("status names it, with the command", problemsOf(status.stdout), status.stdout.includes(command));
  rehearsal.expect(
    "until then the site goes on: calls missed",
    `${visitor.missed(start)} ${visitor.reasons(start)}`.trim(),
    visitor.sees,
  );

  const told = Date.now();
  rehearsal.note(`$ ${command}`);
  await home.host().delete(paths.ingresses.named(namespace, leftover?.metadata.name ?? ""));
  await eventually("nobody gets the page", () => Promise.resolve(visitor.sees ? undefined : true), 60);
  rehearsal.figure("nobody gets the page, after the command", clock((Date.now() - told) / 1000));
  rehearsal.figure("why", visitor.reasons(told));
  await eventually(
    "no Certificate",
    async () => ((await certificateFor(home, tenant, old)) === undefined ? true : undefined),
    60,
  );
  const secret = await home.host().get(paths.secrets.named(namespace, secretOf(old)));
  rehearsal.figure("its Secret on the host", secret === undefined ? "is gone" : "stays, and nothing serves it");
  const touched = await api.send("PATCH", `${ingresses}/${old}`, {
    body: { metadata: { labels: { touched: "yes" } } },
    type: "application/merge-patch+json",
  });
  rehearsal.figure("the tenant changes the Ingress in the guest", `${touched.status} ${messageIn(touched.text)}`);
  await sleep(60_000);
  const again = await home.host().get(paths.ingresses.named(namespace, leftover?.metadata.name ?? ""));
  rehearsal.expect(
    "it is back a minute later",
    again === undefined && !visitor.sees ? "no" : "yes",
    again === undefined && !visitor.sees,
  );
  visitor.leave();
  await quietStatus(home, 60);
  await deletedByTenant(rehearsal, home);

  await rehearsal.step("the domain is blue's, pulumi up", () => home.bringUp({ ...config, ...tenantsWith(other) }));
  const begun = Date.now();
  const others = await home.guest(other).api();
  await eventually(
    "blue's Ingress",
    async () => {
      const { status: code } = await others.send("POST", ingresses, { body: ingressFor(old) });
      return code === 201 ? true : undefined;
    },
    180,
  );
  await eventually(
    "blue's page",
    () => Promise.resolve(pageOf(home, old) === `the page of ${other}\n` ? true : undefined),
    180,
  );
  rehearsal.figure("blue's page answers under the name, after pulumi up", clock((Date.now() - begun) / 1000));
}

/** The tenant deletes the Ingress in the guest. K3k takes its finalizer off only where the host still has the copy. */
async function deletedByTenant(rehearsal: Rehearsal, home: EmbeddedHome): Promise<void> {
  const path = `${ingresses}/${old}`;
  await removeFromGuest(home, tenant, path);
  await sleep(30_000);
  const api = await home.guest(tenant).api();
  const stays = (await api.get(path)) !== undefined;
  rehearsal.figure("deleted by the tenant in the guest, it", stays ? "stays" : "goes");
  if (stays) {
    rehearsal.note(`$ kubectl patch ingress ${old} --type=merge -p '{"metadata":{"finalizers":null}}'`);
    await api.merge(path, { metadata: { finalizers: null } });
  }
  const gone = await eventually(path, async () => ((await api.get(path)) === undefined ? true : undefined), 30).catch(
    () => false,
  );
  rehearsal.expect("with the sheet's command it is gone", gone ? "yes" : "no", gone);
}

/** Why a run with these keys is refused; that it was not, where it is not. */
function refusal(home: EmbeddedHome, config: Readonly<Record<string, unknown>>): Promise<string> {
  return home.bringUp(config).then(
    () => "nothing: it was not refused",
    (error: unknown) => messageOf(error).replace(/\s+/g, " "),
  );
}

/** The message of a Status of the API server. */
function messageIn(text: string): string {
  return (JSON.parse(text) as { readonly message?: string }).message ?? "done";
}
