import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import importSort from "eslint-plugin-simple-import-sort";
import typescript from "typescript-eslint";

/** Each folder, and those that it may import from: CONTRIBUTING.md explains the order. */
const layers = {
  errors: [],
  stacks: ["errors", "components/plan"],
  components: ["errors"],
  cluster: ["errors", "components/plan", "stacks (types only)"],
  infra: ["errors", "stacks", "components", "cluster"],
  kraft: ["errors", "stacks", "components/plan", "cluster", "infra"],
  local: ["errors", "stacks", "components/plan", "cluster", "infra"],
};
const folders = [...Object.keys(layers), "test"];

const programFolders = ["errors", "stacks", "components", "cluster", "infra"];

/** The rule that keeps a folder's imports to those below it, also where it imports while running. */
function layer(folder, allowed) {
  const closed = folders.filter((name) => name !== folder && !allowed.some((one) => one.startsWith(name)));
  const message = `${folder}/ may import only from ${["itself", ...allowed].join(", ")}: see CONTRIBUTING.md.`;
  const paths = [`^(\\.\\./)+(${closed.join("|")})/`];
  if (allowed.includes("components/plan")) {
    paths.push("^(\\.\\./)+components/(?!plan/)");
  }
  return {
    files: [`${folder}/**/*.ts`],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            ...paths.map((regex) => ({ regex, message })),
            ...(allowed.includes("stacks (types only)")
              ? [{ regex: "^(\\.\\./)+stacks/", allowTypeImports: true, message }]
              : []),
          ],
        },
      ],
      "no-restricted-syntax": [
        "error",
        ...paths.map((regex) => ({
          selector: `ImportExpression[source.value=/${regex.replaceAll("/", "\\u002F")}/]`,
          message,
        })),
        ...(programFolders.includes(folder)
          ? [
              {
                selector: "NewExpression[callee.property.name='Config']",
                message: "Only infra/config/read.ts reads Pulumi's configuration.",
              },
            ]
          : []),
      ],
    },
  };
}

/** Planning is pure: it knows nothing outside its own folder but errors. `depth` is how many folders below it a file is. */
function planLayer(files, depth) {
  const regex = `^${"\\.\\./".repeat(depth + 1)}(?!\\.\\./errors/)`;
  const message = "components/plan/ may import only from itself and errors: see CONTRIBUTING.md.";
  return {
    files,
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns: [{ regex, message }] }] },
  };
}

export default defineConfig(
  { ignores: ["node_modules/", ".kraft/"] },
  eslint.configs.recommended,
  {
    plugins: { "import-sort": importSort },
    // Node's own modules, packages, then ours from the farthest folder to the nearest.
    rules: { "import-sort/imports": ["error", { groups: [["^\\u0000", "^node:", "^@?\\w", "^", "^\\."]] }] },
  },
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Numbers read well in a message; Outputs and objects do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // Most Pulumi resources are made for their effect, and nobody needs the object.
      "no-new": "off",
    },
  },
  ...Object.entries(layers).map(([folder, allowed]) => layer(folder, allowed)),
  planLayer(["components/plan/*.ts"], 0),
  planLayer(["components/plan/*/*.ts"], 1),
  {
    files: programFolders.map((folder) => `${folder}/**/*.ts`),
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "The program reads its settings from the stack file only." },
      ],
    },
  },
  { files: ["infra/config/read.ts"], rules: { "no-restricted-syntax": "off" } },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // node:test's `test` and `describe` return promises that the runner itself awaits.
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["describe", "it", "test"] }] },
      ],
    },
  },
);
