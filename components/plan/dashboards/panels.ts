/* eslint-disable @typescript-eslint/no-deprecated -- the kind that takes the place of Dashboard is a preview in Grafana 12 */
import { PanelBuilder as BarsBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  ReduceDataOptionsBuilder,
  VisibilityMode,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as NumberBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as LinesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { services } from "../monitoring/parts.ts";

/** The data source of every panel, as Grafana is given it. */
export const prometheusSource = { type: "prometheus", uid: services.prometheus } as const;

/** What a figure is: Grafana's own names of units. */
const units = { part: "percentunit", seconds: "s", bytes: "bytes", celsius: "celsius", number: "short" } as const;

/** Colours from a value on: the first counts from the lowest on. */
type Limits = readonly (readonly [from: number | null, color: "green" | "yellow" | "red" | "text"])[];

/** Nothing to see below the first, a look is due from there on, and from the second on somebody is told. */
export function limits(yellow: number, red: number): Limits {
  return [
    [null, "green"],
    [yellow, "yellow"],
    [red, "red"],
  ];
}

/** Whatever is less than the whole is wrong. */
export const allOrRed: Limits = [
  [null, "red"],
  [1, "green"],
];

const plain: Limits = [[null, "text"]];

/** One panel of a dashboard. */
export interface PanelArgs {
  readonly title: string;
  /** What it counts, and what it leaves out. */
  readonly description: string;
  /** Columns of 24, and rows. */
  readonly size: readonly [width: number, height: number];
  /** PromQL by the name of what it draws, which may have labels in it: `{{node}}`. */
  readonly queries: Readonly<Record<string, string>>;
  readonly unit: keyof typeof units;
  /** Without them nothing has a colour that says something. */
  readonly limits?: Limits;
  /** What a number means, where it stands for something. */
  readonly states?: Readonly<Record<number, string>>;
  /** What stands where there is no figure; by default Grafana's "No data". */
  readonly none?: string;
}

type Builder = BarsBuilder | LinesBuilder | NumberBuilder | TimelineBuilder;

/** What every kind of panel has. Only the newest figure is asked for where only that is shown. */
function common<Kind extends Builder>(builder: Kind, args: PanelArgs, when: "now" | "ever"): Kind {
  const [width, height] = args.size;
  const colors = (args.limits ?? plain).map(([value, color]) => ({ value, color }));
  builder
    .title(args.title)
    .description(args.description)
    .datasource(prometheusSource)
    .span(width)
    .height(height)
    .unit(units[args.unit])
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(colors))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  if (args.none !== undefined) {
    builder.noValue(args.none);
  }
  if (args.states !== undefined) {
    const options = Object.fromEntries(Object.entries(args.states).map(([value, text]) => [value, { text }]));
    builder.mappings([{ type: MappingType.ValueToText, options }]);
  }
  Object.entries(args.queries).forEach(([legend, expr], index) => {
    const query = new DataqueryBuilder()
      .datasource(prometheusSource)
      .refId(String.fromCharCode("A".charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(legend);
    builder.withTarget(when === "now" ? query.instant() : query.range());
  });
  return builder;
}

const newest = new ReduceDataOptionsBuilder().calcs(["lastNotNull"]);

/** A figure as it is now. */
export function number(args: PanelArgs): NumberBuilder {
  return common(new NumberBuilder(), args, "now")
    .reduceOptions(newest)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Background);
}

/** Several figures as they are now, beside each other. */
export function bars(args: PanelArgs): BarsBuilder {
  const builder = common(new BarsBuilder(), args, "now")
    .reduceOptions(newest)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .min(0);
  return args.unit === "part" ? builder.max(1) : builder;
}

/** Figures over time, with a line where a limit is. */
export function lines(args: PanelArgs): LinesBuilder {
  const style = args.limits === undefined ? GraphThresholdsStyleMode.Off : GraphThresholdsStyleMode.Dashed;
  return common(new LinesBuilder(), args, "ever")
    .min(0)
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(style))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .showPoints(VisibilityMode.Never);
}

/** States over time, in the colours of their limits. */
export function timeline(args: PanelArgs): TimelineBuilder {
  return common(new TimelineBuilder(), args, "ever").showValue(VisibilityMode.Never).rowHeight(0.8);
}

/** A dashboard of Kraft's, with panels in the order in which they are read. All of them link to each other. */
export function page(args: {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** How far it looks back, for example `24h`. */
  readonly past: string;
  /** A variable that the reader chooses, and the series whose label of that name has its values. */
  readonly choice?: { readonly label: string; readonly series: string };
  readonly panels: readonly Builder[];
}): Dashboard {
  const tag = "kraft";
  // Beside the title, and not in a menu, which is all that the SDK knows.
  const toOthers = new DashboardLinkBuilder("Kraft").type(DashboardLinkType.Dashboards).tags([tag]).build();
  const builder = new DashboardBuilder(args.title)
    .uid(args.uid)
    .description(args.description)
    .tags([tag])
    .readonly()
    .refresh("1m")
    .time({ from: `now-${args.past}`, to: "now" })
    .timezone("browser")
    .link({ build: () => ({ ...toOthers, placement: undefined }) });
  if (args.choice !== undefined) {
    const { label, series } = args.choice;
    builder.withVariable(
      new QueryVariableBuilder(label)
        .datasource(prometheusSource)
        .query(`label_values(${series}, ${label})`)
        .refresh(VariableRefresh.OnDashboardLoad),
    );
  }
  args.panels.forEach((panel, index) => builder.withPanel(panel.id(index + 1)));
  return builder.build();
}
