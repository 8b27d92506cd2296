import type { Output } from './runtime.ts';

/** Where there is no terminal a line is printed this often: enough to see life, little enough for a log. */
const PLAIN_LINE_MS = 5_000;
const REDRAW_MS = 200;

/** One line that changes, on standard error. */
export interface Progress {
  /** Shows a text, if the last one has stood long enough. */
  show(text: () => string): void;
  /** Prints a lasting line; the changing one comes back below it at the next `show`. */
  line(text: string): void;
  /** Removes the changing line. */
  clear(): void;
}

/** @param nowMs a clock; only differences count */
export function createProgress(output: Output, nowMs: () => number): Progress {
  const every = output.isTTY ? REDRAW_MS : PLAIN_LINE_MS;
  // Elsewhere than on a terminal, what is done before the first line is due needs none.
  let shownAt = output.isTTY ? Number.NEGATIVE_INFINITY : nowMs();
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) output.write('\r\u001b[K');
    isDrawn = false;
  };
  return {
    show(text) {
      if (nowMs() - shownAt < every) return;
      shownAt = nowMs();
      clear();
      const line = text().slice(0, Math.max(20, (output.columns ?? 80) - 1));
      output.write(output.isTTY ? line : `${line}\n`);
      isDrawn = output.isTTY;
    },
    line(text) {
      clear();
      output.write(`${text}\n`);
      if (output.isTTY) shownAt = Number.NEGATIVE_INFINITY;
    },
    clear,
  };
}
