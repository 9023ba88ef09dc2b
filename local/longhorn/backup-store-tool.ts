import { spawn } from "node:child_process";
import { Failure } from "../../errors/failure.ts";
import type { BackupStore as Place } from "../../infra/catalogue/store.ts";

/**
 * Runs the program `backup-store`, which is made of Longhorn's own library.
 *
 * @param executable Its path.
 * @param command The verb, and what it is given beside the store.
 * @returns the JSON lines that it prints
 * @throws Failure with what it says, where it fails
 */
export function runBackupStore(
  executable: string,
  place: Place,
  command: readonly string[],
  input = "",
): Promise<Record<string, unknown>[]> {
  const { endpoint, region, bucket, prefix, accessKeyId, secretAccessKey } = place;
  const target = Object.entries({ endpoint, region, bucket, prefix }).map(([name, value]) => `--${name}=${value}`);
  const [verb = "", ...rest] = command;
  const child = spawn(executable, [verb, ...target, ...rest], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  // It reads its input only once its arguments are right; what it says then is told below.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) {
        const lines = output.stdout.split("\n").filter((line) => line !== "");
        resolve(lines.map((line) => JSON.parse(line) as Record<string, unknown>));
      } else {
        reject(new Failure(`backup-store ${verb} ended with ${code ?? signal ?? "nothing"}: ${output.stderr.trim()}`));
      }
    });
  });
}
