/** The samples of a soak as a table and as a picture. Pure. */
import type { Lag } from './fact-book.ts';
import { percentile } from './figures.ts';
import type { Measured } from './mesh.ts';
import { drawSvg, type Line } from './picture.ts';

export interface Row {
  /** Seconds since the start. */
  readonly atS: number;
  /** Of the machine, over a minute. */
  readonly load: number;
  readonly asserted: number;
  /** What arrived since the row before. */
  readonly lags: readonly Lag[];
  /** undefined: the node was down. */
  readonly nodes: readonly ((Measured & { readonly refused: number | undefined }) | undefined)[];
}

const COLOURS = [
  '#1f77b4',
  '#d62728',
  '#2ca02c',
  '#9467bd',
  '#8c564b',
  '#e377c2',
  '#7f7f7f',
  '#bcbd22',
  '#17becf',
  '#ff7f0e',
];

export function csvOf(rows: readonly Row[], count: number): string {
  const names = Array.from({ length: count }, (_, i) => i);
  const head = [
    ...['t_s', 'load', 'facts', 'arrivals', 'lag_p50_ms', 'lag_p99_ms', 'lag_max_ms', 'refused', 'cpu_s'],
    ...names.map((i) => `rss_mib_n${i}`),
    ...names.map((i) => `fds_n${i}`),
  ];
  const lines = rows.map((row) => {
    const { nodes } = row;
    const sum = (of: (node: NonNullable<Row['nodes'][number]>) => number | undefined): number =>
      nodes.reduce((all, node) => all + ((node === undefined ? 0 : of(node)) ?? 0), 0);
    return [
      ...[row.atS.toFixed(0), row.load.toFixed(2), row.asserted, row.lags.length],
      ...lagsOf(row).map((ms) => ms?.toFixed(0) ?? ''),
      ...[sum(({ refused }) => refused), sum(({ cpuS }) => cpuS).toFixed(1)],
      ...names.map((i) => nodes[i]?.rssMiB.toFixed(0) ?? ''),
      ...names.map((i) => nodes[i]?.handles ?? ''),
    ];
  });
  return `${[head, ...lines].map((cells) => cells.join(',')).join('\n')}\n`;
}

export function pictureOf(rows: readonly Row[], count: number): string {
  const each = (value: (node: NonNullable<Row['nodes'][number]>) => number): readonly Line[] =>
    Array.from({ length: count }, (_, i) => ({
      name: `n${i}`,
      colour: COLOURS[i % COLOURS.length] ?? '#000',
      values: rows.map(({ nodes }) => (nodes[i] === undefined ? undefined : value(nodes[i]))),
    }));
  const lag = (at: 0 | 1 | 2, name: string, colour: string): Line => ({
    name,
    colour,
    values: rows.map((row) => lagsOf(row)[at]),
  });
  const plots = [
    { title: 'Resident memory', unit: 'MiB', isLogarithmic: false, lines: each(({ rssMiB }) => rssMiB) },
    {
      title: 'From asserted at one node to readable at another, in each 10 s',
      unit: 'ms',
      isLogarithmic: true,
      lines: [lag(0, 'p50', '#2ca02c'), lag(1, 'p99', '#ff7f0e'), lag(2, 'max', '#d62728')],
    },
    {
      title: 'Open files and sockets',
      unit: 'of a process',
      isLogarithmic: false,
      lines: each(({ handles }) => handles),
    },
    {
      title: 'Load of the machine',
      unit: 'over a minute',
      isLogarithmic: false,
      lines: [{ name: '', colour: '#555', values: rows.map(({ load }) => load) }],
    },
  ];
  const minutes = rows.map(({ atS }) => atS / 60);
  return drawSvg(`Soak: ${count} nodes; a gap in a line is a node that was down`, minutes, plots);
}

/** p50, p99 and the largest. */
function lagsOf({ lags }: Row): readonly (number | undefined)[] {
  const ms = lags.map((lag) => lag.ms);
  return [0.5, 0.99, 1].map((share) => (ms.length === 0 ? undefined : percentile(ms, share)));
}
