// That every pod in a tenant's namespace names a seccomp profile, whoever makes it, whatever its node does with one that names none.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seccompPolicy } from "../../../components/plan/admission/seccomp.ts";
import type { Api } from "../../../local/api.ts";
import { refusalOf, whileUnbound } from "./mutations.ts";
import { collectionPath } from "./paths.ts";
import type { KubernetesObject } from "./translate.ts";

interface Pod extends KubernetesObject {
  readonly spec: { readonly securityContext?: object };
}

/** What a pod asks for all of its containers, and what it has then. */
const made: readonly (readonly [name: string, asked: object | undefined, has: object])[] = [
  ["says nothing", undefined, { seccompProfile: { type: "RuntimeDefault" } }],
  ["says something else", { fsGroup: 1000 }, { fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } }],
  ["names it itself", { seccompProfile: { type: "RuntimeDefault" } }, { seccompProfile: { type: "RuntimeDefault" } }],
];

const pods = collectionPath("Pod", "k3k-acme");

function podOf(securityContext: object | undefined, namespace = "k3k-acme"): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "confined-72617770", namespace },
    spec: {
      priorityClassName: "kraft-tenant",
      automountServiceAccountToken: false,
      ...(securityContext !== undefined && { securityContext }),
      // So little that the quota has room, which gives back only in time what dry runs took of it.
      containers: [{ name: "main", image: "x:1", resources: { requests: { cpu: "1m", memory: "1Mi" } } }],
    },
  };
}

/**
 * @param clients The host's administrator, and K3k's kubelet, by which everything of a tenant's comes.
 */
export function seccompTests(clients: () => { readonly operator: Api; readonly kubelet: Api }): void {
  describe("a seccomp profile is given to a pod that", () => {
    for (const [name, asked, has] of made) {
      test(name, async () => {
        const { operator, kubelet } = clients();
        for (const client of [kubelet, operator]) {
          const { status, message, body } = await client.answer("POST", pods, podOf(asked));
          assert.equal(status, 201, message);
          assert.deepEqual((body as Pod).spec.securityContext, has);
        }
      });
    }
  });

  test("outside of tenants' namespaces no pod is given a profile", async () => {
    const path = collectionPath("Pod", "longhorn-system");
    const { status, message, body } = await clients().operator.answer("POST", path, {
      ...podOf(undefined, "longhorn-system"),
      spec: { containers: [{ name: "main", image: "x:1" }] },
    });
    assert.equal(status, 201, message);
    assert.deepEqual((body as Pod).spec.securityContext, {});
  });

  test("without the policy that gives it, no pod of a tenant is made that names none", async () => {
    const { operator, kubelet } = clients();
    const refusal = (asked: object | undefined) => refusalOf(kubelet, pods, podOf(asked));
    await whileUnbound(
      operator,
      seccompPolicy,
      () => refusal(undefined),
      async (refused) => {
        assert.match(refused, /every pod of a tenant runs under the seccomp profile RuntimeDefault/);
        assert.equal(await refusal({ seccompProfile: { type: "RuntimeDefault" } }), undefined);
      },
    );
  });
}
