import { interruption, minutesOf } from "../../cluster/wait.ts";
import { stackFileWith } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { backUp } from "./backup.ts";
import { backupText } from "./text.ts";

interface Given {
  readonly tenant: string;
  readonly volume?: string;
  readonly timeout?: string;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, volume } = given;
  const limit = minutesOf("--timeout", given.timeout, 720);
  const file = stackFileWith(tenant, given);
  const host = await reach(file, output);
  const interrupted = interruption();
  try {
    const report = await backUp(host, {
      stack: file.stack.name,
      tenant,
      volumes: volume === undefined ? undefined : [volume],
      patience: { until: Date.now() + limit, signal: interrupted.signal },
      progress: (text) => {
        output.note(`${tenant}: ${text}`);
      },
    });
    return { json: report, text: backupText(report, output.style), ok: report.ok };
  } finally {
    interrupted.stop();
  }
};
