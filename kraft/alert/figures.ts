import { testReceiver } from "../../components/plan/monitoring/alertmanager.ts";

/** Requests of one kind to the targets of test alerts, counted since Alertmanager's start. */
export interface Attempts {
  readonly sent: number;
  readonly failed: number;
}

/** What Alertmanager's figures say of test alerts, by integration: `webhook`, which ntfy is too, and `email`. */
export function testAttempts(metrics: string): ReadonlyMap<string, Attempts> {
  const found = new Map<string, Attempts>();
  const line = /^alertmanager_notification_requests_(failed_)?total\{([^}]*)\} (\S+)$/gm;
  for (const [, failed, labels = "", value] of metrics.matchAll(line)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1];
    const integration = label("integration");
    if (integration === undefined || label("receiver_name") !== testReceiver) {
      continue;
    }
    const known = found.get(integration) ?? { sent: 0, failed: 0 };
    const count = Number(value);
    found.set(
      integration,
      failed === undefined ? { ...known, sent: known.sent + count } : { ...known, failed: known.failed + count },
    );
  }
  return found;
}

/** What became of a test between two looks at the figures. */
export function testOutcome(
  before: ReadonlyMap<string, Attempts>,
  after: ReadonlyMap<string, Attempts>,
  integration: string,
): { readonly taken: number; readonly refused: number } {
  const none: Attempts = { sent: 0, failed: 0 };
  const [one, other] = [before.get(integration) ?? none, after.get(integration) ?? none];
  const refused = other.failed - one.failed;
  return { taken: other.sent - one.sent - refused, refused };
}
