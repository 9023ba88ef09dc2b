import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HtmlValidate } from "html-validate";
import type { Figures } from "../../../../../kraft/status/html/capacity.ts";
import { pageHtml } from "../../../../../kraft/status/html/document.ts";
import { markup } from "../../../../../kraft/status/html/markup.ts";
import { planPage } from "../../../../../kraft/status/html/plan.ts";
import { colours } from "../../../../../kraft/status/html/style.ts";
import type { Status } from "../../../../../kraft/status/report.ts";
import { attribute, cells, elements, read, section, text } from "../../../../fixtures/kraft/html.ts";
import { bad, figures, prices, well } from "./sample.ts";

function htmlOf(status: Status, known: Figures | undefined = figures({ prices })): string {
  return pageHtml(planPage({ status, description: "three machines", zone: "Europe/Berlin", figures: known }));
}

function pageOf(status: Status, known?: Figures) {
  return read(htmlOf(status, known));
}

/** Nothing at all: a cluster on its first day. */
const empty: Status = {
  ...well,
  nodes: [],
  platform: [],
  tenants: [],
  backups: { target: null, schedules: [], volumes: [] },
  certificates: [],
};

const pages: Readonly<Record<string, string>> = {
  "a good day": htmlOf(well),
  "a bad day": htmlOf(bad),
  "an empty cluster": htmlOf(empty),
  "a stack file with problems": pageHtml(planPage({ status: bad, description: "", zone: "UTC", figures: undefined })),
};

describe("what is wrong comes first", () => {
  const [first] = elements(pageOf(bad), "main").flatMap((main) => elements(main, "section"));
  const items = first === undefined ? [] : elements(first, "li").map(text);

  test("all of it, what cannot wait before what can, otherwise in the order of the report", () => {
    const lines = (wanted: string) =>
      bad.problems
        .filter(({ severity }) => severity === wanted)
        .map(({ subject, message, severity }) => `${severity} ${subject}: ${message}`);
    assert.deepEqual(items, [...lines("critical"), ...lines("warning")]);
  });

  test("the heading and the tab say how much it is, or that all is well", () => {
    const said = (status: Status) => {
      const page = pageOf(status);
      return [...elements(page, "title"), ...elements(page, "h2").slice(0, 1)].map(text);
    };
    assert.deepEqual(said(bad), ["homelab: 11 problems", "11 things are wrong"]);
    assert.deepEqual(said({ ...bad, problems: bad.problems.slice(0, 1) }), ["homelab: 1 problem", "1 thing is wrong"]);
    assert.deepEqual(said(well), ["homelab: all is well", "All is well."]);
  });

  test("and what is wrong with a node, tenant, volume or certificate is said once more beside it", () => {
    const page = pageOf(bad);
    const beside = (title: string) => elements(section(page, title), "li").map(text);
    assert.deepEqual(beside("Nodes"), [
      "warning MemoryPressure: little is left",
      "critical is not ready: Kubelet stopped posting node status.",
    ]);
    assert.deepEqual(beside("acme"), [
      "warning its backups were last proven restorable 91 days ago: npx kraft drill acme",
      "critical last backup 37 h ago, due every 24 h",
      "warning degraded: a copy is missing",
    ]);
    assert.deepEqual(beside("Other volumes"), ["critical no schedule makes backups of it"]);
    assert.deepEqual(beside("Certificates"), ["warning is not ready: issuing", "critical EXPIRED 3 h ago"]);
    assert.deepEqual(beside("Moving"), ["tenant coral: is moving here from proliant: npx kraft move coral -s homelab"]);
  });
});

describe("what each part says", () => {
  const page = pageOf(well);
  const tables: Readonly<Record<string, readonly (readonly string[])[]>> = {
    Nodes: [
      ["node", "state", "kubelet"],
      ["optiplex-1", "ready", "v1.35.6+k3s1"],
      ["optiplex-2", "ready", "v1.35.6+k3s1"],
      ["optiplex-3", "ready", "v1.35.6+k3s1"],
    ],
    acme: [
      ["", "used", "share"],
      ["CPU", "500m of 2", "CPU: 25 %"],
      ["memory", "1Gi of 4Gi", "memory: 25 %"],
      ["volumes", "10Gi of 55Gi", "volumes: 18 %"],
      ["pods", "30 of 30", "pods: 100 %"],
      ["claim", "size", "state", "last backup", "due every"],
      ["shop/data-postgresql-0", "5Gi", "healthy", "2026-11-23 01:00 UTC (11 h ago)", "24 h"],
      ["datastore", "5Gi", "healthy", "2026-11-23 01:00 UTC (11 h ago)", "24 h"],
    ],
    "Other volumes": [
      ["claim", "size", "state", "last backup", "due every"],
      ["default/scratch", "5Gi", "detached", "2026-11-23 01:00 UTC (11 h ago)", "24 h"],
    ],
    Certificates: [
      ["certificate", "hosts", "state", "ends", "time left"],
      [
        "k3k-acme/shop-tls",
        "shop.acme.example, www.acme.example",
        "ready",
        "2027-01-22 12:00 UTC (in 60 days)",
        "60 of 90 days",
      ],
      ["k3k-blue/blue-tls", "blue.example", "ready", "2027-02-16 12:00 UTC (in 85 days)", "85 of 90 days"],
    ],
    Platform: [
      ["name", "namespace", "kind", "ready"],
      ["cert-manager", "cert-manager", "Deployment", "2 of 2"],
      ["longhorn-manager", "longhorn-system", "DaemonSet", "3 of 3"],
    ],
  };
  for (const [title, expected] of Object.entries(tables)) {
    test(title, () => {
      assert.deepEqual(cells(section(page, title)), expected);
    });
  }

  test("tenants: the guest, the last drill, the kubeconfig's end, and nothing that is not known", () => {
    const facts = (status: Status, tenant: string) => elements(section(pageOf(status), tenant), "dd").map(text);
    assert.deepEqual(facts(well, "acme"), [
      "Ready",
      "2026-11-02 16:00 UTC (20 days ago)",
      "2027-02-14 20:00 UTC (in 83 days)",
    ]);
    assert.deepEqual(facts(well, "blue"), ["Ready", "never", "not known"]);
    assert.equal(facts(bad, "coral")[0], "moving from proliant");
    assert.deepEqual(cells(section(pageOf(bad), "blue")).slice(1, 5), [
      ["CPU", "-", "-"],
      ["memory", "lots of 4Gi", "-"],
      ["volumes", "-", "-"],
      ["pods", "40 of 30", "pods: 133 %"],
    ]);
  });

  test("capacity and cost are the figures of the check, to the letter", () => {
    const known = figures({ prices });
    const shown = cells(section(page, "Capacity"));
    assert.deepEqual(
      shown.map((row) => row.slice(0, -1)),
      known.capacity.rows,
    );
    assert.deepEqual(cells(section(page, "Cost")), known.cost[0]?.rows);
  });

  test("without prices no cost; with problems in the stack file no capacity, but where to look", () => {
    assert.doesNotMatch(htmlOf(well, figures()), />Cost</);
    const html = pages["a stack file with problems"] ?? "";
    assert.match(text(section(read(html), "Capacity")), /^Capacity Not known: .* npx kraft check -s homelab$/);
    assert.doesNotMatch(html, />Cost</);
  });

  test("when it was made, and of which cluster", () => {
    const [header] = elements(page, "header");
    assert.match(
      header === undefined ? "" : text(header),
      /2026-11-23 12:00 UTC.* context kraft-homelab, UID 0c9e6679-/,
    );
  });
});

describe("text from the cluster stays text", () => {
  const attack = `<script>alert(1)</script><img src=x onerror=alert(1)>" onload="alert(1)' </td></style>&lt;`;
  /** A report in which each name and message ends with this; times and what the program itself chooses stay. */
  function ending(value: unknown, end: string, key = ""): unknown {
    if (typeof value === "string") {
      return ["at", "cron", "kind", "notAfter", "severity", "lastSyncedAt"].includes(key) ? value : `${value}${end}`;
    }
    return Array.isArray(value)
      ? value.map((one) => ending(one, end, key))
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, ending(one, end, name)]))
        : value;
  }
  const shape = (status: Status) =>
    elements(pageOf(status)).map(({ tagName, attrs }) => [tagName, ...attrs.map(({ name }) => name)]);

  test("whatever it is, in whichever field: the page has the same elements and attributes", () => {
    const harmless = "x".repeat(attack.length);
    const attacked = ending(bad, attack) as Status;
    assert.deepEqual(shape(attacked), shape(ending(bad, harmless) as Status));
    assert.ok(text(pageOf(attacked)).includes(`shop/data-postgresql-0${attack}`.replace(/\s+/g, " ")));
  });

  test("any text comes back from the page as it was, also in an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (found) => {
        const { text: html } =
          markup`<!DOCTYPE html><html lang="en"><head><title>t</title></head><body><p title="${found}">${found}</p></body></html>`;
        const [paragraph] = elements(read(html), "p");
        const expected = found
          .replace(/[\u202a-\u202e\u2066-\u2069]|\p{Noncharacter_Code_Point}|[^\P{Cc}\n\t]/gu, "\ufffd")
          .toWellFormed();
        assert.equal(paragraph && attribute(paragraph, "title"), expected);
        assert.equal(paragraph && text(paragraph), expected.replace(/\s+/g, " ").trim());
      }),
    );
  });
});

for (const [name, html] of Object.entries(pages)) {
  describe(`the page of ${name}`, () => {
    const page = read(html);

    test("loads nothing, runs nothing, and forbids both", () => {
      const all = elements(page);
      const names = new Set(all.map(({ tagName }) => tagName));
      for (const forbidden of ["script", "link", "img", "iframe", "object", "form", "base"]) {
        assert.ok(!names.has(forbidden), forbidden);
      }
      const attributes = all.flatMap(({ attrs }) => attrs);
      assert.deepEqual(
        attributes.filter(
          ({ name, value }) => /^(on|src|style$)/.test(name) || (name === "href" && !value.startsWith("#")),
        ),
        [],
      );
      const [style, ...others] = elements(page, "style");
      const css = style?.childNodes.map((node) => ("value" in node ? node.value : "")).join("") ?? "";
      assert.deepEqual([others.length, /url\(|@import/.test(css)], [0, false]);
      const policy = elements(page, "meta").find((meta) => attribute(meta, "http-equiv") === "Content-Security-Policy");
      assert.equal(
        policy && attribute(policy, "content"),
        `default-src 'none'; style-src 'sha256-${createHash("sha256").update(css).digest("base64")}'; base-uri 'none'; form-action 'none'`,
      );
    });

    test("is valid and can be read aloud: headings in order, landmarks, tables with captions and scopes", async () => {
      const validator = new HtmlValidate({
        extends: ["html-validate:recommended", "html-validate:a11y", "html-validate:document"],
        // Browsers forget the roles of a table whose rows are blocks, as on a narrow screen.
        rules: { "no-redundant-role": "off" },
      });
      const { results } = await validator.validateString(html);
      assert.deepEqual(
        results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${line} ${ruleId}: ${message}`)),
        [],
      );
      const levels = elements(page).flatMap(({ tagName }) => (/^h[1-6]$/.test(tagName) ? [Number(tagName[1])] : []));
      assert.equal(levels[0], 1);
      levels.slice(1).forEach((level, index) => {
        assert.ok(level > 1 && level <= (levels[index] ?? 0) + 1, levels.join(" "));
      });
      for (const table of elements(page, "table")) {
        assert.equal(elements(table, "caption").length, 1);
        for (const cell of elements(table, "th")) {
          assert.match(attribute(cell, "scope") ?? "", /^(col|row)$/);
        }
      }
      for (const picture of elements(page, "svg")) {
        assert.ok((attribute(picture, "aria-label") ?? "") !== "" || attribute(picture, "aria-hidden") === "true");
      }
    });

    test("its links lead to its parts, and no name is given twice", () => {
      const names = elements(page).flatMap((one) => attribute(one, "id") ?? []);
      assert.equal(new Set(names).size, names.length);
      for (const link of elements(page, "a")) {
        assert.ok(names.includes(attribute(link, "href")?.slice(1) ?? ""));
      }
    });
  });
}

/** Contrast of two colours (WCAG 2.2, "relative luminance" and "contrast ratio"). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
      const value = parseInt(colour.slice(start, start + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [bright = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (bright + 0.05) / (dark + 0.05);
}

for (const [scheme, of] of Object.entries(colours)) {
  test(`${scheme}: text has a contrast of 4.5, parts of bars one of 3`, () => {
    for (const background of [of.page, of.panel]) {
      for (const name of ["text", "quiet", "link", "good", "critical", "warning"] as const) {
        assert.ok(contrast(of[name], background) >= 4.5, `${name} on ${background}`);
      }
    }
    for (const name of ["platform", "k3k", "tenants", "mark"] as const) {
      assert.ok(contrast(of[name], of.track) >= 3, name);
    }
  });
}
