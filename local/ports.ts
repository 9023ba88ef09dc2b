import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Where ports are chosen from: below those that the kernel gives to outgoing connections, any of which could take a port
 * between its choice and its use.
 */
const range = { first: 16_384, count: 16_384 } as const;

/** Whether nobody listens on a port of the loopback address. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** So many different free ports, none of which is `taken`. */
export async function freePorts(count: number, taken: readonly number[] = []): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = range.first + Math.floor(Math.random() * range.count);
    if (!taken.includes(port) && (await isFree(port))) {
      ports.add(port);
    }
  }
  return [...ports];
}
