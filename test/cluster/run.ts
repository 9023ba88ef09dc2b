// One run of the engine over a cluster that is up, in a process of its own: one that a test may kill, and one in which the
// rejected promises that Pulumi's SDK leaves behind a refused program are not taken for a fault of the test.
//
//   node test/cluster/run.ts <stack> <directory> <up|preview> <config as JSON> [module with another program]
import { openEngine, type Program } from "../../local/engine.ts";
import { type Config, joined, refreshVariable, secretsVariable } from "./embedded.ts";

const [name = "", directory = "", verb = "", config = "{}", other] = process.argv.slice(2);
const host = await joined(name, directory);
host.secrets = JSON.parse(process.env[secretsVariable] ?? "{}") as Record<string, string>;
host.refresh = process.env[refreshVariable] !== "false";
try {
  const changed = JSON.parse(config) as Config;
  const { steps } =
    other !== undefined
      ? await previewOf(other, changed)
      : verb === "up"
        ? await host.up(changed)
        : await host.preview(changed);
  console.log(JSON.stringify(steps));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  host.cluster.api.close();
}

async function previewOf(module: string, changed: Config) {
  const { default: program } = (await import(module)) as { readonly default: Program };
  return (await openEngine({ cluster: host.cluster, config: changed, program })).preview();
}
