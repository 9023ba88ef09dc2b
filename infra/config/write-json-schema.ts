import { writeFileSync } from "node:fs";
import { format } from "prettier";
import { stackFileSchema } from "./json-schema.ts";

const file = new URL("stack.schema.json", import.meta.url);
writeFileSync(file, await format(JSON.stringify(stackFileSchema()), { parser: "json", printWidth: 120 }));
