import type { Output, Runtime } from '../runtime.ts';
import { createScreen, type Screen } from '../screen.ts';
import { drawPicture, type Picture, pictureLine, refusalLines } from './picture.ts';

const PLAIN_LINE_MS = 2_000;

/** Shows pictures: drawn over each other on a terminal, one line now and then elsewhere. */
export class Live {
  readonly #output: Output;
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  #drawn = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #phase = '';
  readonly #told = new Set<string>();

  constructor(output: Output, runtime: Runtime) {
    this.#output = output;
    this.#screen = createScreen(output, runtime.env);
    this.#nowMs = runtime.nowMs;
  }

  show(picture: Picture): void {
    if (this.#output.isTTY) this.#redraw(drawPicture(picture, this.#screen));
    else this.#print(picture);
  }

  /** A line that stays; the picture goes on below it. */
  line(text: string): void {
    this.#output.write(`${text}\n`);
    this.#drawn = 0;
  }

  /** Without a terminal: where to look once, each kind of refusal once, and a line now and then. */
  #print(picture: Picture): void {
    const news = picture.refusals.filter(({ reason }) => !this.#told.has(reason));
    const lines = this.#phase === '' ? [...picture.lookAround] : [];
    for (const refusal of news) {
      this.#told.add(refusal.reason);
      lines.push(...refusalLines(refusal, this.#screen));
    }
    if (this.#nowMs() - this.#shownAt >= PLAIN_LINE_MS || picture.phase !== this.#phase) {
      this.#shownAt = this.#nowMs();
      this.#phase = picture.phase;
      lines.push(pictureLine(picture));
    }
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
  }

  #redraw(lines: readonly string[]): void {
    // Lines that scrolled away cannot be drawn over: never more than fit.
    const fitting = lines.slice(0, Math.max(5, (this.#output.rows ?? 24) - 1));
    const columns = this.#output.columns ?? 80;
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[J`;
    this.#output.write(`${back}${fitting.map((line) => clip(line, columns)).join('\n')}\n`);
    this.#drawn = fitting.length;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with one
const COLOR_CODE = /\u001b\[[0-9;]*m/;

/** The first `columns` characters; colour codes take no room and are all kept, so that none stays switched on. */
export function clip(line: string, columns: number): string {
  let room = columns;
  return line
    .split(new RegExp(`(${COLOR_CODE.source})`))
    .map((part) => {
      if (COLOR_CODE.test(part)) return part;
      const kept = [...part].slice(0, room).join('');
      room -= [...kept].length;
      return kept;
    })
    .join('');
}
