import { stringify } from "yaml";
import { type Amounts, readable } from "./size.ts";

/** What a tenant is told in the guest: what is agreed, and what is planned. */
export interface TenantTerms {
  /** Whom the tenant asks, and how. */
  readonly contact?: string | undefined;
  /** What is planned, each in one line. */
  readonly notices: readonly string[];
  /** Classes of volumes that the tenant may use, and when they are backed up. */
  readonly classes: readonly { readonly name: string; readonly backups: Backups }[];
  /** When the guest's own objects are backed up. */
  readonly datastore: { readonly backups: Backups };
  /** Whether something in the cluster measures what the tenant uses (`useName`). */
  readonly isMeasured: boolean;
}

interface Backups {
  /** For example `every day at 01:05 UTC`. */
  readonly words: string;
  readonly keep: number;
}

/** A namespace of every guest, which Kubernetes itself makes: everybody whom the tenant lets in may be let read it. */
export const reportNamespace = "kube-public";

/** ConfigMaps in the guest. No other begins with `kraft`, so that one command shows both. */
export const termsName = "kraft-terms";
export const useName = "kraft-use";

/** The one key of both, whose value is text for people. */
export const reportKey = "report";

/** How a tenant reads them: `describe` takes the beginning of a name. */
export const reportCommand = `kubectl -n ${reportNamespace} describe configmap kraft`;

/** How often what a tenant uses is measured, in minutes. */
export const useMinutes = 15;

/** The file that K3s applies in the guest (`guestManifests`). */
export const termsFile = `${termsName}.yaml`;

/** The manifest of a tenant's terms. Nothing in it changes unless the stack file does. */
export function termsManifest(tenant: string, allowance: Amounts, terms: TenantTerms): string {
  const { cpu, memory, storage, pods } = readable(allowance);
  const lines = [
    `What the cluster ${tenant} may use, and what is planned.`,
    "",
    "Planned",
    ...(terms.notices.length === 0 ? ["  nothing that the operator wrote down"] : indented(terms.notices)),
    "",
    "Your own pods and volumes may use, together",
    `  CPU: ${cpu}, as requested by pods that run`,
    `  memory: ${memory}, as requested by pods that run`,
    `  volumes: ${storage}`,
    `  pods: ${pods}`,
    "",
    "Backups",
    ...terms.classes.map(({ name, backups }) => `  volumes of ${name}: ${wordsOf(backups)}`),
    `  the objects of the cluster: ${wordsOf(terms.datastore.backups)}`,
    "",
    "What is used, and when each volume was last backed up",
    terms.isMeasured
      ? `  measured every ${useMinutes} minutes: ConfigMap ${useName} in this namespace`
      : "  nobody measures it here: the operator can tell",
    ...(terms.contact === undefined ? [] : ["", "Whom to ask", `  ${terms.contact}`]),
  ];
  return stringify(
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: termsName, namespace: reportNamespace },
      data: { [reportKey]: `${lines.join("\n")}\n` },
    },
    { lineWidth: 0 },
  );
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function wordsOf({ words, keep }: Backups): string {
  return `${words}, ${keep} kept`;
}
