import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig(
  { ignores: ["node_modules/", ".kraft/"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Numbers read well in a message; Outputs and objects do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // A logical name, a URN or a ready resource is the use of most of what Pulumi makes.
      "no-new": "off",
    },
  },
  {
    files: ["components/**/*.ts", "infra/**/*.ts", "stacks/**/*.ts", "cluster/**/*.ts", "errors/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [{ regex: "/(kraft|local|test)/", message: "The program never imports kraft/, local/ or test/." }],
        },
      ],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Everything the program reads stands in the stack file." },
      ],
    },
  },
  {
    files: ["components/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "/(cluster|infra|kraft|stacks|local|test)/",
              message: "A component knows nothing of the live cluster, stacks, files or config.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["kraft/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: "/(local|test)/", message: "The operator's tool never imports local/ or test/." },
            { regex: "/components/(?!plan/)", message: "Of the components, the operator's tool knows the plans." },
          ],
        },
      ],
    },
  },
  {
    files: ["local/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "/(kraft|test)/", message: "The embedded cluster imports neither kraft/ nor test/." }] },
      ],
    },
  },
  {
    files: ["components/**/*.ts", "infra/**/*.ts"],
    ignores: ["infra/config/read.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "NewExpression[callee.property.name='Config']", message: "Only infra/config reads pulumi.Config." },
      ],
    },
  },
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
