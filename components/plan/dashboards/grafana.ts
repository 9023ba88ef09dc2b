import { monitoringNamespace, ports, services } from "../monitoring/parts.ts";
import { prometheusSource } from "./panels.ts";

/** Where Grafana finds what it is given: its image looks for the first (Grafana's manual, "Configure a Grafana Docker image"). */
export const folders = { settings: "/etc/grafana", pages: "/etc/kraft-dashboards", data: "/var/lib/grafana" } as const;

/**
 * Grafana's settings, by section (its manual, "Configure Grafana"). Whoever reaches it may look at everything and change
 * nothing: there is no user, no password, and nothing that calls an address outside of the cluster.
 */
const settings: Readonly<Record<string, Readonly<Record<string, string | boolean>>>> = {
  analytics: {
    reporting_enabled: false,
    check_for_updates: false,
    check_for_plugin_updates: false,
    feedback_links_enabled: false,
  },
  auth: { disable_login_form: true, disable_signout_menu: true },
  "auth.anonymous": { enabled: true, org_role: "Viewer" },
  "auth.basic": { enabled: false },
  log: { level: "warn" },
  news: { news_feed_enabled: false },
  plugins: {
    preinstall_disabled: true,
    preinstall_auto_update: false,
    plugin_admin_enabled: false,
    public_key_retrieval_disabled: true,
  },
  public_dashboards: { enabled: false },
  security: { disable_initial_admin_creation: true, disable_gravatar: true },
  snapshots: { enabled: false, external_enabled: false },
  unified_alerting: { enabled: false },
  users: { allow_sign_up: false },
};

/** `grafana.ini`, with the page that Grafana opens with. */
export function grafanaSettings(home: string): string {
  const all = { ...settings, dashboards: { default_home_dashboard_path: `${folders.pages}/${home}` } };
  return Object.entries(all)
    .map(([section, values]) =>
      [`[${section}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`), ""].join("\n"),
    )
    .join("\n");
}

/** The one data source. */
export const dataSources = {
  apiVersion: 1,
  datasources: [
    {
      name: "Prometheus",
      ...prometheusSource,
      access: "proxy",
      url: `http://${services.prometheus}.${monitoringNamespace}.svc:${ports.prometheus}`,
      isDefault: true,
      editable: false,
    },
  ],
};

/** Where the dashboards are. They change with the program only. */
export const dashboardProvider = {
  apiVersion: 1,
  providers: [
    { name: "kraft", type: "file", disableDeletion: true, allowUiUpdates: false, options: { path: folders.pages } },
  ],
};
