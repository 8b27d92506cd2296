/** What people see: tables and sentences, in colour where a terminal wants colour. Progress goes to standard error. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { printable } from './printable.ts';
import type { Output, Runtime } from './runtime.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** A cell: text of others by default, escaped; with a style where it carries a meaning; of several lines where we laid it out. */
export type Cell =
  | string
  | number
  | null
  | { readonly text: string; readonly style: Style }
  | { readonly lines: readonly string[] };

export interface Screen {
  /** Colours a text of our own; plain where there is no colour. */
  paint(style: Style, text: string): string;
  /** Rows under a head, one line each on a terminal. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): string;
  /** Names and values, one below the other. */
  pairs(rows: readonly (readonly [string, Cell])[]): string;
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);

/** Colour as terminals and https://no-color.org want it: never into files or pipes, never against NO_COLOR. */
export function wantsColor(output: Output, env: Runtime['env']): boolean {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return !refused && (output.isTTY || (env['FORCE_COLOR'] ?? '0') !== '0');
}

/** A screen for one output. */
export function createScreen(output: Output, env: Runtime['env']): Screen {
  const color = wantsColor(output, env);
  const paint = (style: Style, text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const cellText = (cell: Cell): string => {
    if (cell === null) return paint('dim', '–');
    if (typeof cell === 'object') {
      return 'lines' in cell
        ? cell.lines.map((line) => printable(line)).join('\n')
        : paint(cell.style, printable(cell.text));
    }
    return typeof cell === 'number' ? String(cell) : printable(cell);
  };
  const draw = (rows: readonly (readonly string[])[], widths: readonly number[] | null): string => {
    const table = new Table({
      chars: { ...NO_LINES, middle: '  ' },
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
      ...(widths === null ? {} : { colWidths: [...widths] }),
    });
    table.push(...rows.map((row) => [...row]));
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n');
  };
  return {
    paint,
    table(head, rows) {
      const cells = rows.map((row) => row.map(cellText));
      const widths = output.isTTY ? fittingWidths(head, rows, output.columns ?? 80) : null;
      return draw([head.map((name) => paint('bold', name)), ...cells], widths);
    },
    // Not the table's: it takes seconds for a cell of some hundred lines, such as evidence.
    pairs(rows) {
      const width = Math.max(0, ...rows.map(([name]) => name.length));
      const indent = ' '.repeat(width + GAP);
      const pair = ([name, cell]: readonly [string, Cell]): readonly string[] => {
        const [first = '', ...others] = cellText(cell).split('\n');
        const head = `${paint('bold', name)}${' '.repeat(width - name.length + GAP)}${first}`;
        return [head, ...others.map((line) => `${indent}${line}`)];
      };
      return rows
        .flatMap(pair)
        .map((line) => line.trimEnd())
        .join('\n');
    },
  };
}

const GAP = 2;
const LEAST_WIDTH = 8;

/** Widths that fit the terminal, taken from the widest columns; null when nothing has to be cut. */
function fittingWidths(head: readonly string[], rows: readonly (readonly Cell[])[], columns: number): number[] | null {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => plainLength(row[column] ?? null))),
  );
  const room = columns - GAP * (head.length - 1);
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  if (excess <= 0) return null;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_WIDTH) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

function plainLength(cell: Cell): number {
  if (cell === null) return 1;
  const lines = typeof cell !== 'object' ? [String(cell)] : 'lines' in cell ? cell.lines : [cell.text];
  return Math.max(0, ...lines.map((line) => printable(line).length));
}
