// That no container in a tenant's namespace is made with the capability to write raw packets, whoever makes it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rawPacketsPolicy } from "../../../components/plan/admission/raw-packets.ts";
import type { Api } from "../../../local/api.ts";
import { eventually } from "../embedded.ts";
import { refusalOf, whileUnbound } from "./mutations.ts";
import { collectionPath } from "./paths.ts";
import type { KubernetesObject } from "./translate.ts";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
}

interface Pod extends KubernetesObject {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
}

type SecurityContext = Container["securityContext"];

/** What a container asks for, and what it has then. */
const made: readonly (readonly [name: string, asked: SecurityContext, has: SecurityContext])[] = [
  ["says nothing", undefined, { capabilities: { drop: ["NET_RAW"] } }],
  ["says something else", { runAsUser: 1000 }, { runAsUser: 1000, capabilities: { drop: ["NET_RAW"] } }],
  ["names no capability", { capabilities: {} }, { capabilities: { drop: ["NET_RAW"] } }],
  ["keeps one", { capabilities: { add: ["CHOWN"] } }, { capabilities: { add: ["CHOWN"], drop: ["NET_RAW"] } }],
  ["drops another", { capabilities: { drop: ["MKNOD"] } }, { capabilities: { drop: ["MKNOD", "NET_RAW"] } }],
  [
    "drops all but one",
    { capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] } },
    { capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] } },
  ],
  ["drops it itself", { capabilities: { drop: ["NET_RAW"] } }, { capabilities: { drop: ["NET_RAW"] } }],
  [
    "writes it in small letters",
    { capabilities: { drop: ["net_raw"] } },
    { capabilities: { drop: ["net_raw", "NET_RAW"] } },
  ],
];

const namespace = "k3k-acme";
const pods = collectionPath("Pod", namespace);

function container(name: string, securityContext: SecurityContext): Container {
  return { name, image: "x:1", ...(securityContext !== undefined && { securityContext }) };
}

/** So little that the quota has room, which gives back only in time what dry runs took of it. */
const small = { resources: { requests: { cpu: "1m", memory: "1Mi" } } };

/** A pod whose containers of both kinds ask for each of these. */
function podOf(name: string, asked: readonly SecurityContext[]): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `${name}-72617770`, namespace },
    spec: {
      priorityClassName: "kraft-tenant",
      automountServiceAccountToken: false,
      containers: asked.map((context, index) => ({ ...container(`main${index}`, context), ...small })),
      initContainers: asked.map((context, index) => ({ ...container(`init${index}`, context), ...small })),
    },
  };
}

/**
 * @param clients The host's administrator, and K3k's kubelet, by which everything of a tenant's comes.
 */
export function rawPacketTests(clients: () => { readonly operator: Api; readonly kubelet: Api }): void {
  describe("the capability to write raw packets is taken from a container that", () => {
    for (const [name, asked, has] of made) {
      test(name, async () => {
        const { operator, kubelet } = clients();
        for (const client of [kubelet, operator]) {
          // Beside one that is not changed, and before one that is.
          const all = [{ capabilities: { drop: ["ALL"] } }, asked, undefined];
          const { status, message, body } = await client.answer("POST", pods, podOf("made", all));
          assert.equal(status, 201, message);
          const { containers, initContainers = [] } = (body as Pod).spec;
          for (const list of [containers, initContainers]) {
            assert.deepEqual(
              list.map(({ securityContext }) => securityContext),
              [{ capabilities: { drop: ["ALL"] } }, has, { capabilities: { drop: ["NET_RAW"] } }],
            );
          }
        }
      });
    }

    test("is added to a pod that runs", async () => {
      const { operator, kubelet } = clients();
      const { metadata } = await kubelet.create<Pod>(pods, podOf("debugged", [undefined]));
      const path = `${pods}/${metadata.name}`;
      try {
        for (const added of ["first", "second"]) {
          await eventually(`a container ${added}`, async () => {
            const found = (await operator.get<Pod>(path)) ?? assert.fail();
            const ephemeralContainers = [...(found.spec.ephemeralContainers ?? []), container(added, undefined)];
            const changed = { ...found, spec: { ...found.spec, ephemeralContainers } };
            const { status, text } = await operator.send("PUT", `${path}/ephemeralcontainers`, { body: changed });
            // Its status changes meanwhile.
            assert.ok(status === 200 || status === 409, text);
            return status === 200 ? true : undefined;
          });
        }
        const { spec } = (await operator.get<Pod>(path)) ?? assert.fail();
        assert.deepEqual(
          spec.ephemeralContainers?.map(({ name, securityContext }) => [name, securityContext]),
          ["first", "second"].map((name) => [name, { capabilities: { drop: ["NET_RAW"] } }]),
        );
      } finally {
        await operator.delete(path);
      }
    });
  });

  test("outside of tenants' namespaces no container is changed", async () => {
    const elsewhere = { name: "made", namespace: "longhorn-system" };
    const pod = {
      ...podOf("made", []),
      metadata: elsewhere,
      spec: { containers: [container("main", { runAsUser: 1 })] },
    };
    const { status, message, body } = await clients().operator.answer(
      "POST",
      collectionPath("Pod", elsewhere.namespace),
      pod,
    );
    assert.equal(status, 201, message);
    assert.deepEqual((body as Pod).spec.containers[0]?.securityContext, { runAsUser: 1 });
  });

  test("without the policy that takes it away, no pod of a tenant is made with it", async () => {
    const { operator, kubelet } = clients();
    const refusal = (asked: SecurityContext) => refusalOf(kubelet, pods, podOf("made", [asked]));
    await whileUnbound(
      operator,
      rawPacketsPolicy,
      () => refusal(undefined),
      async (refused) => {
        assert.match(refused, /every container of a tenant drops the capability NET_RAW/);
        assert.equal(await refusal({ capabilities: { drop: ["ALL"] } }), undefined);
      },
    );
  });
}
