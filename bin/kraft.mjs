#!/usr/bin/env node
// The operator's tool as a command: `npx kraft <verb>`. Finds a Node that is new enough, as every script of this project.
process.argv.splice(2, 0, "kraft/main.ts");
await import("../local/start.mjs");
