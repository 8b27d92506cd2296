/** The soak as a picture: three plots over one axis of time, as SVG. Pure. */

export interface Line {
  readonly name: string;
  readonly colour: string;
  /** Undefined where there is nothing to show: the line is interrupted. */
  readonly values: readonly (number | undefined)[];
}

export interface Plot {
  readonly title: string;
  readonly unit: string;
  /** Each ten times the one before it. */
  readonly isLogarithmic: boolean;
  readonly lines: readonly Line[];
}

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 70;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 26;
const LINES_OF_SCALE = 4;
const COLUMNS_OF_SCALE = 6;

/** @param minutes time of each value of all lines */
export function drawSvg(title: string, minutes: readonly number[], plots: readonly Plot[]): string {
  const height = plots.length * HEIGHT + 30;
  const parts = plots.map((plot, i) => drawPlot(plot, minutes, 30 + i * HEIGHT));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>${xmlText(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="15">${xmlText(title)}</text>
${parts.join('\n')}
</svg>
`;
}

interface Scale {
  readonly x: (minute: number) => number;
  readonly y: (value: number) => number;
  /** Values that have a line across the plot. */
  readonly marks: readonly number[];
}

function drawPlot(plot: Plot, minutes: readonly number[], top: number): string {
  const scale = scaleOf(plot, minutes, top);
  const across = scale.marks.map((mark) => {
    const y = scale.y(mark).toFixed(1);
    return `<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y}" dy="4" text-anchor="end" fill="#555">${shown(mark)}</text>`;
  });
  const last = minutes.at(-1) ?? 0;
  const along = Array.from({ length: COLUMNS_OF_SCALE + 1 }, (_, i) => {
    const minute = (last * i) / COLUMNS_OF_SCALE;
    return `<text x="${scale.x(minute).toFixed(1)}" y="${top + HEIGHT - 8}" text-anchor="middle" fill="#555">${Number(minute.toFixed(1))} min</text>`;
  });
  const names = plot.lines.map(
    ({ name, colour }, i) => `<tspan dx="${i === 0 ? 16 : 8}" fill="${colour}">${xmlText(name)}</tspan>`,
  );
  const lines = plot.lines.map(
    ({ colour, values }) =>
      `<path d="${pathOf(values, minutes, scale)}" fill="none" stroke="${colour}" stroke-width="1.2"/>`,
  );
  const head = `<text x="${LEFT}" y="${top + 20}">${xmlText(`${plot.title}, ${plot.unit}`)}${names.join('')}</text>`;
  return [head, ...across, ...along, ...lines].join('\n');
}

function scaleOf({ lines, isLogarithmic }: Plot, minutes: readonly number[], top: number): Scale {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== undefined));
  const most = Math.max(1, ...values);
  const least = isLogarithmic ? 10 ** Math.floor(Math.log10(Math.max(1, Math.min(most, ...values)))) : 0;
  const end = isLogarithmic ? 10 ** Math.ceil(Math.log10(most)) : roundUp(most);
  const span = isLogarithmic ? Math.max(1, Math.log10(end) - Math.log10(least)) : end;
  const at = (value: number): number =>
    isLogarithmic ? (Math.log10(Math.max(least, value)) - Math.log10(least)) / span : value / span;
  const marks = isLogarithmic
    ? Array.from({ length: Math.round(span) + 1 }, (_, i) => least * 10 ** i)
    : Array.from({ length: LINES_OF_SCALE + 1 }, (_, i) => (end * i) / LINES_OF_SCALE);
  const last = Math.max(minutes.at(-1) ?? 1, 1 / 60);
  return {
    x: (minute) => LEFT + (minute / last) * (WIDTH - LEFT - RIGHT),
    y: (value) => top + HEIGHT - BOTTOM - at(value) * (HEIGHT - TOP - BOTTOM),
    marks,
  };
}

function pathOf(values: Line['values'], minutes: readonly number[], { x, y }: Scale): string {
  let isOpen = false;
  let path = '';
  values.forEach((value, i) => {
    if (value !== undefined) path += `${isOpen ? 'L' : 'M'}${x(minutes[i] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = value !== undefined;
  });
  return path;
}

/** The next of 1, 2, 4, 8 and their tens: a quarter of it is a round number too. */
function roundUp(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 8, 10].find((step) => step * ten >= value) ?? 10) * ten;
}

function shown(value: number): string {
  return value >= 10_000 ? value.toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
