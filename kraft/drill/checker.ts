import { z } from "zod";
import type { ContainerState } from "../../cluster/objects.ts";
import { checkerResources, drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import { checker } from "../../infra/versions.ts";

/**
 * What runs in the pod that a restored volume is mounted into: it reads every file to its end, counts files and bytes,
 * and looks for the datastore where there must be one. For `sh` of busybox; `VOLUME`, `RESULT`, `RUN` and `DATASTORE`
 * come from the environment.
 *
 * One line of JSON goes to `RESULT`. Names of files never do: they are the tenant's.
 */
export const checkerScript = `
cd "$VOLUME" || exit 3
counts=$( { {
  find . -xdev -type f -exec sh -c '
    if cat "$@" 2>/dev/null; then echo read $# >&3; exit; fi
    for file; do if cat "$file" >/dev/null 2>&1; then echo read 1 >&3; else echo unread >&3; fi; done
  ' sh {} + 2>/dev/null || echo unlisted >&3
} | wc -c | sed "s/^ */bytes /" >&3; } 3>&1 | awk '
  $1 == "read" { read += $2 } $1 == "unread" { unread++ } $1 == "unlisted" { unlisted++ } $1 == "bytes" { bytes = $2 }
  END { printf "\\"files\\":%d,\\"unread\\":%d,\\"unlisted\\":%d,\\"bytes\\":%s", read, unread, unlisted, bytes }
')
datastore=none
if [ "$(head -c 15 server/db/state.db 2>/dev/null)" = "SQLite format 3" ]; then datastore=sqlite; fi
if [ -s server/db/etcd/member/snap/db ] && ls server/db/etcd/member/wal/*.wal >/dev/null 2>&1; then datastore=etcd; fi
printf '{"run":"%s",%s,"datastore":"%s"}\\n' "$RUN" "$counts" "$datastore" >"$RESULT"
case "$counts" in *'"unread":0,"unlisted":0,'*) ;; *) exit 1 ;; esac
if [ "$DATASTORE" = yes ] && [ "$datastore" = none ]; then exit 2; fi
`;

/** What the checker writes to `RESULT`; `datastore` is the guest's that is on the volume. */
const resultSchema = z.object({
  run: z.string(),
  files: z.int(),
  unread: z.int(),
  unlisted: z.int(),
  bytes: z.int(),
  datastore: z.enum(["etcd", "sqlite", "none"]),
});

/** What the checker found. */
export type Checked = Readonly<Pick<z.infer<typeof resultSchema>, "files" | "bytes" | "datastore">>;

/**
 * What a checker that has ended read, or why nothing is proven. A result without the name of this `run` proves nothing.
 */
export function checkerResult(
  { exitCode = -1, message = "", reason = "" }: NonNullable<ContainerState["terminated"]>,
  run: string,
  needsDatastore: boolean,
): Checked | { readonly why: string } {
  const { data: result } = resultSchema.safeParse(fromJson(message));
  if (result === undefined) {
    return { why: `the checker ended with exit code ${exitCode}${reason === "" ? "" : ` (${reason})`} and no result` };
  }
  const { files, bytes, unread, unlisted, datastore } = result;
  if (result.run !== run) {
    return { why: "the checker's result is not of this drill" };
  }
  if (unread !== 0 || unlisted !== 0) {
    return {
      why: `${unread} of ${files + unread} files cannot be read${unlisted === 0 ? "" : ", and folders cannot be listed"}`,
    };
  }
  if (needsDatastore && datastore === "none") {
    return { why: "there is no datastore of a guest on it: neither etcd's files nor a SQLite database" };
  }
  return exitCode === 0
    ? { files, bytes, datastore }
    : { why: `the checker ended with exit code ${exitCode}${reason === "" ? "" : ` (${reason})`}` };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The pod that reads a restored volume, through a claim of its own name: no token, no network, nothing that it could
 * write to. It is root, with the one right to read what belongs to others; the volume is mounted read-only. `run` is
 * written into the result, so that no other pod's is mistaken for it.
 */
export function checkerPod(name: string, tenant: string, isDatastore: boolean, run: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: drillNamespace, labels: { [drillLabel]: tenant } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "checker",
          image: `${checker.image}:${checker.tag}`,
          command: ["sh", "-c", checkerScript],
          env: [
            { name: "VOLUME", value: "/volume" },
            { name: "RESULT", value: "/dev/termination-log" },
            { name: "RUN", value: run },
            { name: "DATASTORE", value: isDatastore ? "yes" : "no" },
          ],
          resources: checkerResources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
          },
          volumeMounts: [{ name: "volume", mountPath: "/volume", readOnly: true }],
        },
      ],
      volumes: [{ name: "volume", persistentVolumeClaim: { claimName: name } }],
    },
  };
}
