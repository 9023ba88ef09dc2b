import { CONNREFUSED, NODATA, NOTFOUND, REFUSED, Resolver, SERVFAIL, TIMEOUT } from "node:dns/promises";
import { isIP } from "node:net";
import { UsageError } from "../../errors/failure.ts";

/** The answer of the name servers about one name. */
export interface Answer {
  /** Whether there is anything of that name. */
  readonly exists: boolean;
  /** Where its CNAME points, where that one's points, and so on; not beyond the entrypoint. */
  readonly cnames: readonly string[];
  /** IPv4 and IPv6, sorted. */
  readonly addresses: readonly string[];
  /** Why not everything could be found out; null where it could. */
  readonly failure: string | null;
}

/** Milliseconds that one question may take, over all name servers and attempts. */
const limit = 5000;

/** How many CNAMEs are followed from one name. Resolvers give up at about as many. */
const longestChain = 8;

/** Name servers to ask: those of this machine, or one that the operator names. */
export interface NameServers {
  readonly servers: readonly string[];
  /**
   * Asks for several names at once, following no CNAME beyond `end`. Failures are part of the answers; nothing is thrown.
   */
  ask(names: readonly string[], end: string): Promise<ReadonlyMap<string, Answer>>;
}

/**
 * The name servers to ask: this machine's, or `<address>` or `<address>:<port>`, with brackets round an IPv6 address that has
 * a port. Throws a UsageError for anything else.
 */
export function nameServers(server: string | undefined, milliseconds: number = limit): NameServers {
  // A lost question is repeated once, with twice the time.
  const options = { timeout: Math.ceil(milliseconds / 3), tries: 2 };
  const settings = resolverFor(server, options);
  return {
    servers: settings.getServers(),
    async ask(names, end) {
      const resolver = resolverFor(server, options);
      try {
        const answers = names.map(async (name) => [name, await answerFor(resolver, name, end, milliseconds)] as const);
        return new Map(await Promise.all(answers));
      } finally {
        // Pending questions would keep the program from ending.
        resolver.cancel();
      }
    },
  };
}

function resolverFor(server: string | undefined, options: ConstructorParameters<typeof Resolver>[0]): Resolver {
  const resolver = new Resolver(options);
  if (server === undefined) {
    return resolver;
  }
  const refusal = new UsageError(
    `${JSON.stringify(server)} is no name server\n  allowed: an address, with a port if it is not 53: 192.168.1.1, 192.168.1.1:5353, 2001:db8::1, [2001:db8::1]:5353`,
  );
  // Port 0 would silently be 53.
  if (isIP(server) === 0 && /:0+$/.test(server)) {
    throw refusal;
  }
  try {
    resolver.setServers([server]);
  } catch {
    throw refusal;
  }
  return resolver;
}

async function answerFor(resolver: Resolver, name: string, end: string, milliseconds: number): Promise<Answer> {
  const [v4, v6, chain] = await Promise.all([
    reply(resolver.resolve4(name), milliseconds),
    reply(resolver.resolve6(name), milliseconds),
    follow(resolver, name, end, milliseconds),
  ]);
  const failures = Object.entries({ A: v4, AAAA: v6, CNAME: chain }).flatMap(([type, { failure }]) =>
    failure === undefined ? [] : [{ type, failure }],
  );
  const [first] = failures;
  const same = failures.every(({ failure }) => failure === first?.failure);
  return {
    // A dangling CNAME also leads to "no such name", but of its target.
    exists: chain.values.length > 0 || v4.exists || v6.exists || chain.exists,
    cnames: chain.values,
    addresses: [...v4.values.sort(), ...v6.values.sort()],
    failure:
      first === undefined
        ? null
        : failures.length === 3 && same
          ? first.failure
          : failures.map(({ type, failure }) => `${type}: ${failure}`).join(", "),
  };
}

interface Reply {
  readonly exists: boolean;
  readonly values: string[];
  readonly failure?: string;
}

/** The CNAMEs that lead away from a name. Resolvers follow them by themselves, but do not hand over the way. */
async function follow(resolver: Resolver, name: string, end: string, milliseconds: number): Promise<Reply> {
  const chain: string[] = [];
  let exists = true;
  for (let from = name; chain.length < longestChain;) {
    const { values, failure, ...answered } = await reply(resolver.resolveCname(from), milliseconds);
    exists = chain.length > 0 || answered.exists;
    if (failure !== undefined) {
      return { exists, values: chain, failure };
    }
    const target = values[0]?.toLowerCase();
    if (target === undefined || chain.includes(target)) {
      break;
    }
    chain.push(target);
    if (target === end) {
      break;
    }
    from = target;
  }
  return { exists, values: chain };
}

/** The answer to one question, or why there was none in time. */
async function reply(answer: Promise<string[]>, milliseconds: number): Promise<Reply> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(Object.assign(new Error("too late"), { code: TIMEOUT }));
  }, milliseconds);
  try {
    return { exists: true, values: await Promise.race([answer, late.promise]) };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === NODATA || code === NOTFOUND) {
      return { exists: code === NODATA, values: [] };
    }
    return { exists: false, values: [], failure: failureText(code || String(error), milliseconds) };
  } finally {
    clearTimeout(timer);
  }
}

function failureText(code: string, milliseconds: number): string {
  const texts: Partial<Record<string, string>> = {
    [TIMEOUT]: `no answer within ${milliseconds / 1000} s`,
    [CONNREFUSED]: "no name server there",
    [SERVFAIL]: "the name server failed to resolve it (SERVFAIL)",
    [REFUSED]: "the name server refused the query (REFUSED)",
  };
  return texts[code] ?? `the query failed (${code})`;
}
