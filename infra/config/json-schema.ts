import { z } from "zod";
import { configSchema, secretKeys } from "./schema.ts";

/** A value that `pulumi config set --secret` encrypted into the stack file. */
const encrypted = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
} as const;

/** The JSON schema of a stack file, from the same source that the program checks it with. */
export function stackFileSchema(): Record<string, unknown> {
  const keys = Object.entries(configSchema.shape).map(
    ([key, schema]) =>
      [`kraft:${key}`, secretKeys.has(key) ? { description: schema.description, ...encrypted } : bare(schema)] as const,
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Stack file of Kraft",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(keys),
        // Other providers' keys are theirs; a misspelt key of ours is an error.
        patternProperties: { "^(?!kraft:)": {} },
        additionalProperties: false,
      },
      encryptionsalt: { type: "string" },
      secretsprovider: { type: "string" },
    },
    required: ["config"],
  };
}

function bare(schema: z.ZodType): Record<string, unknown> {
  const schemaOfKey = z.toJSONSchema(schema, { io: "input" });
  return Object.fromEntries(Object.entries(schemaOfKey).filter(([name]) => name !== "$schema"));
}
