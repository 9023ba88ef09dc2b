import { heartbeatAlert } from "./rules.ts";

/** Where alerts go. At least one of the first three is there. Passwords and tokens are in files: {@link secretFiles}. */
export interface AlertTargets {
  /** Server and topic, as one URL. */
  readonly ntfy?: string | undefined;
  readonly email?:
    | {
        readonly to: string;
        readonly from: string;
        /** Name and port. */
        readonly server: string;
        readonly user?: string | undefined;
      }
    | undefined;
  /** Takes Alertmanager's own JSON. */
  readonly webhook?: string | undefined;
  /** Called every few minutes, as long as monitoring works. */
  readonly heartbeat?: string | undefined;
}

/** The alert of `kraft alert --test`, and the receiver by which it goes to every target of a person. */
export const testAlert = "KraftTest";
export const testReceiver = "test";

/** A label of every test, which makes each a message of its own. */
export const testLabel = "run";

/** Folder of Alertmanager's configuration in its pod. */
export const alertmanagerFolder = "/etc/alertmanager";

/** File names of the secrets beside the configuration. */
export const secretFiles = {
  ntfyToken: "ntfy-token",
  emailPassword: "email-password",
  webhookToken: "webhook-token",
} as const;

/** A value for each of the secrets. */
export type AlertSecrets<Value> = Readonly<Record<keyof typeof secretFiles, Value>>;

/** Which of the secrets there are. */
export type KnownSecrets = Readonly<Partial<Record<keyof typeof secretFiles, boolean>>>;

/** How long Alertmanager waits for other alerts of the same name: a power cut is one message. */
const groupWait = "30s";

/** How long until a message says what changed: more nodes gone, or all of them back. */
const groupInterval = "5m";

/** A problem that lasts is told of once a day. */
const repeatInterval = "24h";

/** Every how many seconds the service outside is called; it should wait three times as long before it says something. */
export const heartbeatSeconds = 300;

const title = "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }}";

/** Go's templates: one line for each alert, collected in a variable, and the page to follow. */
const collected = [
  '{{ $text := "" }}{{ range .Alerts }}',
  '{{ $over := "" }}{{ if eq .Status "resolved" }}{{ $over = "Over: " }}{{ end }}',
  '{{ $text = printf "%s%s%s\\n" $text $over .Annotations.summary }}{{ end }}',
].join("");
const message = '(printf "%sRunbook: %s" $text .CommonAnnotations.runbook)';

function authorization(file: string | undefined) {
  return file === undefined
    ? {}
    : { http_config: { authorization: { credentials_file: `${alertmanagerFolder}/${file}` } } };
}

/** ntfy takes a message as JSON at its root, with the topic in it (docs.ntfy.sh/publish, "Publish as JSON"). */
function ntfyReceiver(url: string, token: string | undefined) {
  const { origin, pathname } = new URL(url);
  const parts = pathname.split("/").filter((part) => part !== "");
  const topic = parts.pop() ?? "";
  return {
    url: `${[origin, ...parts].join("/")}/`,
    ...authorization(token),
    payload: {
      // Alertmanager reads every text of it as YAML; quoted it stays one.
      topic: JSON.stringify(topic),
      title: '{{ printf "%s: %s" (.Status | toUpper) .CommonLabels.alertname | toJson }}',
      message: `${collected}{{ ${message} | toJson }}`,
      tags: ["house"],
    },
  };
}

/**
 * Alertmanager's configuration: one message for each kind of alert, however many nodes or tenants it touches, and none about
 * what follows from a dead node.
 */
export function alertmanagerConfig(targets: AlertTargets, secrets: KnownSecrets = {}) {
  const { ntfy, email, webhook, heartbeat } = targets;
  const fileOf = (name: keyof typeof secretFiles): string | undefined =>
    secrets[name] === true ? secretFiles[name] : undefined;
  const password = fileOf("emailPassword");
  /** Every way to a person. */
  const toPerson = (send_resolved: boolean) => {
    const webhooks = [
      ...(ntfy === undefined ? [] : [{ ...ntfyReceiver(ntfy, fileOf("ntfyToken")), send_resolved }]),
      ...(webhook === undefined ? [] : [{ url: webhook, ...authorization(fileOf("webhookToken")), send_resolved }]),
    ];
    const emails =
      email === undefined
        ? []
        : [
            {
              to: email.to,
              from: email.from,
              smarthost: email.server,
              ...(email.user !== undefined && { auth_username: email.user }),
              ...(password !== undefined && { auth_password_file: `${alertmanagerFolder}/${password}` }),
              send_resolved,
              headers: { Subject: title },
              html: "",
              text: `${collected}{{ ${message} }}`,
            },
          ];
    return {
      ...(webhooks.length > 0 && { webhook_configs: webhooks }),
      ...(emails.length > 0 && { email_configs: emails }),
    };
  };
  return {
    route: {
      receiver: "operator",
      group_by: ["alertname"],
      group_wait: groupWait,
      group_interval: groupInterval,
      repeat_interval: repeatInterval,
      routes: [
        {
          receiver: testReceiver,
          matchers: [`alertname="${testAlert}"`],
          group_by: ["alertname", testLabel],
          group_wait: "0s",
        },
        {
          receiver: heartbeat === undefined ? "nobody" : "heartbeat",
          matchers: [`alertname="${heartbeatAlert}"`],
          group_wait: "0s",
          group_interval: `${heartbeatSeconds / 5}s`,
          repeat_interval: `${heartbeatSeconds}s`,
        },
      ],
    },
    inhibit_rules: [
      // What else does not answer on a dead node.
      { source_matchers: ['alertname="NodeGone"'], target_matchers: ['alertname!="NodeGone"'], equal: ["node"] },
      // The second copy of what was on it.
      { source_matchers: ['alertname="NodeGone"'], target_matchers: ['alertname="VolumeDegraded"'] },
      // What works through the API server restarts until that is back.
      { source_matchers: ['alertname="ApiServerDown"'], target_matchers: ['alertname="PlatformPartDown"'] },
      {
        source_matchers: ['alertname="ApiServerDown"'],
        target_matchers: ['alertname="MonitoringBlind"', 'job="apiserver"'],
      },
      { source_matchers: ['alertname="GuestDown"'], target_matchers: ['alertname="SiteDown"'], equal: ["tenant"] },
    ],
    receivers: [
      { name: "nobody" },
      { name: "operator", ...toPerson(true) },
      { name: testReceiver, ...toPerson(false) },
      ...(heartbeat === undefined
        ? []
        : [{ name: "heartbeat", webhook_configs: [{ url: heartbeat, send_resolved: false }] }]),
    ],
  };
}

/** The ports of the internet that alerts are sent to. */
export function targetPorts({ ntfy, email, webhook, heartbeat }: AlertTargets): readonly number[] {
  const ofUrls = [ntfy, webhook, heartbeat]
    .filter((url) => url !== undefined)
    .map((url) => new URL(url))
    .map(({ port, protocol }) => (port === "" ? (protocol === "http:" ? 80 : 443) : Number(port)));
  const ofMail = email === undefined ? [] : [Number(email.server.split(":")[1])];
  return [...new Set([...ofUrls, ...ofMail])].sort((one, other) => one - other);
}
