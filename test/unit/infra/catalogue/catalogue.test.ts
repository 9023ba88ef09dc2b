import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type BackupSpec, backupText, blockKey, Bucket, layout, unfinished } from "./bucket.ts";

const monday = { name: "backup-monday", created: "2026-11-23T00:45:00Z", claim: "data-web" };
const tuesday = { name: "backup-tuesday", created: "2026-11-24T00:45:00Z", claim: "data-web" };

test("an empty bucket is an empty catalogue", async () => {
  assert.deepEqual(await new Bucket().catalogue(), {
    target: "s3://kraft-backup@eu-central-2/homelab/",
    volumes: [],
    unattached: [],
    damaged: [],
    notes: [],
  });
});

test("a volume: whose it is, what it is, and its newest backup as Longhorn names it", async () => {
  const labels = { "longhorn.io/volume-access-mode": "rwx", "volume-encrypted": "enabled" };
  const bucket = new Bucket().volume("pvc-1", [monday, { ...tuesday, labels, blocks: ["one", "three", "one"] }]);
  assert.deepEqual((await bucket.catalogue()).volumes, [
    {
      volume: "pvc-1",
      namespace: "k3k-acme",
      claim: "data-web",
      sizeBytes: 1024 ** 3,
      storageClass: "kraft-standard",
      accessMode: "rwx",
      encrypted: true,
      dataEngine: "v1",
      backup: {
        name: "backup-tuesday",
        created: "2026-11-24T00:45:00.000Z",
        url: "s3://kraft-backup@eu-central-2/homelab/?backup=backup-tuesday&volume=pvc-1",
        bytes: 3 * 2 * 1024 ** 2,
        // A block that stands twice in the volume is downloaded twice.
        downloadBytes: "one".length + "three".length + "one".length,
      },
      backups: 2,
    },
  ]);
});

test("the newest is what was snapshotted last, whatever volume.cfg says and in whatever order backups are listed", async () => {
  const moment = fc.integer({ min: 0, max: 5_000_000 }).map((seconds) => new Date(1.76e12 + seconds * 1000));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(moment, { minLength: 1, maxLength: 8, selector: Number }),
      fc.nat(),
      async (times, last) => {
        const backups = times.map((time, index) => ({
          name: `backup-${index}`,
          created: time.toISOString().replace(".000Z", "Z"),
          claim: "data-web",
        }));
        const bucket = new Bucket().volume("pvc-1", backups, { LastBackupName: `backup-${last}` });
        const [volume] = (await bucket.catalogue()).volumes;
        assert.equal(volume?.backup.created, new Date(Math.max(...times.map(Number))).toISOString());
      },
    ),
    { numRuns: 50 },
  );
});

test("a backup that was never finished does not count and is not damage", async () => {
  const bucket = new Bucket().volume("pvc-1", [monday]);
  bucket.objects.set(layout.backupKey("pvc-1", "backup-half"), unfinished("pvc-1", "backup-half"));
  const { volumes, damaged, notes } = await bucket.catalogue();
  assert.equal(volumes[0]?.backup.name, "backup-monday");
  assert.deepEqual(damaged, []);
  assert.match(notes[0]?.message ?? "", /^backup backup-half was never finished.*backup_backup-half\.cfg\)$/);
});

test("a volume without a finished backup is said, and is nothing to restore", async () => {
  const bucket = new Bucket().volume("pvc-1", []);
  const { volumes, damaged, notes } = await bucket.catalogue();
  assert.deepEqual([volumes, damaged], [[], []]);
  assert.deepEqual(notes, [{ volume: "pvc-1", namespace: null, claim: null, message: "it has no finished backup" }]);
});

describe("a broken newest backup: the one before it is used, and that is said", () => {
  const text = backupText("pvc-1", tuesday);
  const broken: Record<string, (bucket: Bucket, key: string) => void> = {
    "an empty description": (bucket, key) => bucket.objects.set(key, ""),
    "a description cut in its head": (bucket, key) => bucket.objects.set(key, text.slice(0, 60)),
    "a description cut in its list of blocks": (bucket, key) =>
      bucket.objects.set(key, text.slice(0, text.indexOf("BlockChecksum"))),
    "no date": (bucket, key) =>
      bucket.objects.set(key, text.replace('"SnapshotCreatedAt":"2026-11-24T00:45:00Z"', '"SnapshotCreatedAt":""')),
    "no JSON": (bucket, key) => bucket.objects.set(key, "<Error/>"),
    "another's description": (bucket, key) => bucket.objects.set(key, backupText("pvc-2", tuesday)),
    "no snapshot": (bucket, key) => bucket.objects.set(key, text.replace("snapshot-of-backup-tuesday", "")),
    "no block": (bucket) => bucket.objects.delete(blockKey("pvc-1", "new")),
    "an empty block": (bucket) => bucket.objects.set(blockKey("pvc-1", "new"), ""),
    "a checksum that is none": (bucket, key) =>
      bucket.objects.set(key, text.replace(/[0-9a-f]{64}/, "../../etc/passwd")),
  };
  for (const [what, breakIt] of Object.entries(broken)) {
    test(what, async () => {
      const bucket = new Bucket()
        .volume("pvc-1", [monday, { ...tuesday, blocks: ["new"] }])
        .volume("pvc-2", [{ ...monday, claim: "other" }]);
      breakIt(bucket, layout.backupKey("pvc-1", "backup-tuesday"));
      const { volumes, damaged } = await bucket.catalogue();
      assert.deepEqual(
        volumes.map(({ volume, backup }) => [volume, backup.name]),
        [
          ["pvc-1", "backup-monday"],
          ["pvc-2", "backup-monday"],
        ],
      );
      assert.ok(damaged.every(({ volume, claim }) => volume === "pvc-1" && claim === "data-web"));
      assert.match(
        damaged[0]?.message ?? "",
        /^backup backup-tuesday .*\(homelab\/backupstore\/volumes\/.*backup_backup-tuesday\.cfg\)$/,
      );
      assert.equal(damaged[1]?.message, "it comes back from backup backup-monday of 2026-11-23T00:45:00.000Z");
    });
  }

  test("without a look at blocks, a missing one is not seen", async () => {
    const bucket = new Bucket().volume("pvc-1", [{ ...tuesday, blocks: ["new"] }]);
    bucket.objects.delete(blockKey("pvc-1", "new"));
    const { volumes, damaged } = await bucket.catalogue({ blocks: false });
    assert.equal(volumes[0]?.backup.downloadBytes, null);
    assert.deepEqual(damaged, []);
  });
});

describe("a volume of which nothing can come back hides no other", () => {
  const broken: Record<string, (bucket: Bucket) => void> = {
    "volume.cfg missing": (bucket) => bucket.objects.delete(layout.volumeKey("pvc-1")),
    "volume.cfg half written": (bucket) => bucket.objects.set(layout.volumeKey("pvc-1"), '{"Name":"pvc-1","Si'),
    "volume.cfg of another": (bucket) =>
      bucket.objects.set(layout.volumeKey("pvc-1"), bucket.objects.get(layout.volumeKey("pvc-2")) ?? ""),
    "every backup broken": (bucket) => bucket.objects.set(layout.backupKey("pvc-1", "backup-monday"), "{"),
    "in a folder where Longhorn does not look": (bucket) => {
      for (const [key, text] of [...bucket.objects]) {
        if (key.startsWith(layout.folder("pvc-1"))) {
          bucket.objects.delete(key);
          bucket.objects.set(key.replace(layout.folder("pvc-1"), `${layout.volumes}00/00/pvc-1/`), text);
        }
      }
    },
  };
  for (const [what, breakIt] of Object.entries(broken)) {
    test(what, async () => {
      const bucket = new Bucket().volume("pvc-1", [monday]).volume("pvc-2", [{ ...monday, claim: "other" }]);
      breakIt(bucket);
      const { volumes, damaged } = await bucket.catalogue();
      assert.deepEqual(
        volumes.map(({ volume }) => volume),
        ["pvc-2"],
      );
      assert.ok(damaged.length > 0 && damaged.every(({ volume }) => volume === "pvc-1"));
    });
  }
});

test("a long description is read by its head, and whole only where it is the newest", async () => {
  const many = Array.from({ length: 2000 }, (_, index) => `block ${index}`);
  const bucket = new Bucket().volume("pvc-1", [
    { ...monday, blocks: many },
    { ...tuesday, blocks: many.slice(1) },
  ]);
  const [volume] = (await bucket.catalogue()).volumes;
  assert.equal(volume?.backup.name, "backup-tuesday");
  assert.equal(volume.backup.downloadBytes, many.slice(1).join("").length);
});

describe("whose a volume is", () => {
  const datastore: BackupSpec = {
    name: "backup-store",
    created: "2026-11-24T06:15:00Z",
    claim: "varlibrancherk3s-k3k-acme-server-0",
  };

  test("a backup that does not say so: another of the same volume does", async () => {
    const { claim: _claim, ...silent } = tuesday;
    const { volumes } = await new Bucket().volume("pvc-1", [monday, silent]).catalogue();
    assert.deepEqual(
      volumes.map(({ claim, backup }) => [claim, backup.name]),
      [["data-web", "backup-tuesday"]],
    );
  });

  test("no backup says so: it stays in the bucket, by its name", async () => {
    const { claim: _claim, ...silent } = tuesday;
    const { volumes, unattached, damaged } = await new Bucket().volume("pvc-1", [silent]).catalogue();
    assert.deepEqual([volumes, damaged], [[], []]);
    assert.deepEqual(unattached, [
      { volume: "pvc-1", namespace: null, claim: null, message: "its backups do not say which claim it belongs to" },
    ]);
  });

  test("a claim that was deleted, and made again with another volume", async () => {
    const { volumes, unattached } = await new Bucket()
      .volume("pvc-old", [{ ...tuesday, lastPVCRefAt: "2026-11-23T12:00:00Z" }])
      .volume("pvc-new", [monday])
      .catalogue();
    assert.deepEqual(
      volumes.map(({ volume }) => volume),
      ["pvc-new"],
    );
    assert.deepEqual(
      unattached.map(({ volume, message }) => [volume, message]),
      [["pvc-old", "its claim k3k-acme/data-web has the volume pvc-new now"]],
    );
  });

  test("a claim that was deleted stays away, unless the guest comes back from before that", async () => {
    for (const [lastPVCRefAt, comesBack] of [
      ["2026-11-24T06:00:00Z", false],
      ["2026-11-24T07:00:00Z", true],
    ] as const) {
      const { volumes } = await new Bucket()
        .volume("pvc-store", [datastore])
        .volume("pvc-1", [{ ...tuesday, lastPVCRefAt }])
        .catalogue();
      assert.equal(
        volumes.some(({ volume }) => volume === "pvc-1"),
        comesBack,
      );
    }
  });
});
