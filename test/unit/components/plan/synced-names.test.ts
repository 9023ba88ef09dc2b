import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { guestName, syncedName } from "../../../../components/plan/names.ts";

/** The first is of K3k's own tests (k3k-kubelet/translate/host_test.go), the others were made by its code. */
const known = [
  ["mycluster", "nginx", "test", "nginx-test-mycluster-6e67696e782b746573742b6d79636c7573746572"],
  ["acme", "web-tls", "default", "web-tls-default-acme-7765622d746c732b64656661756c742b61636d65"],
  ["acme", "shop-acme-com-tls", "default", "shop-acme-com-tls-default-acme-73686f702d61636d652d636f6d-3916e"],
] as const;

test("names are those of K3k, and lead back", () => {
  for (const [cluster, name, namespace, hostName] of known) {
    assert.equal(syncedName(cluster, { name, namespace }), hostName);
    assert.deepEqual(guestName(cluster, hostName), { name, namespace });
  }
});

test("what K3k did not name leads nowhere", () => {
  for (const hostName of ["varlibrancherk3s-k3k-acme-server-0", "data", "data-default-acme-cafe", ""]) {
    assert.equal(guestName("acme", hostName), undefined);
  }
});

test("a name that is found is the one, and it is found unless the name itself was cut", () => {
  const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/);
  const cluster = fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/);
  fc.assert(
    fc.property(cluster, label, label, (tenant, name, namespace) => {
      const hostName = syncedName(tenant, { name, namespace });
      const found = guestName(tenant, hostName);
      if (found !== undefined) {
        assert.equal(syncedName(tenant, found), hostName);
      }
      if (`${name}-${namespace}-${tenant}-`.length <= 56) {
        assert.deepEqual(found, { name, namespace });
      }
    }),
  );
});
