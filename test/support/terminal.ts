/** A command on a terminal of its own (`script`, util-linux), as an operator has it in front of him. Ends with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { within } from './node-process.ts';

const MAIN = process.env['STIGMEM_TEST_MAIN'] ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const DEADLINE_MS = 180_000;

export class Terminal {
  readonly #child: ChildProcess;
  #screen = '';
  #wake = (): void => undefined;
  #isClosed = false;

  /** @param args of the program @param size of the terminal, whose name stands on the screen first then */
  constructor(t: TestContext, args: readonly string[], size?: { readonly rows: number; readonly columns: number }) {
    const program = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
    const sized = size === undefined ? '' : `stty rows ${size.rows} cols ${size.columns}; tty; exec `;
    const command = `${sized}${program}`;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STIGMEM_')));
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...env, NO_COLOR: '1', TERM: 'xterm' },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#screen += text.replaceAll('\r\n', '\n');
      this.#wake();
    });
    this.#child.once('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    t.after(() => this.#child.kill('SIGKILL'));
  }

  /** Everything that was on the screen so far. */
  get screen(): string {
    return this.#screen;
  }

  /** Waits until the screen shows it. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, DEADLINE_MS);
    try {
      for (;;) {
        const found = pattern.exec(this.#screen);
        if (found !== null) return found;
        if (this.#isClosed || isLate) throw new Error(`no ${pattern} on:\n${this.#screen}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The exit code of the command. */
  async ended(): Promise<number | null> {
    if (!this.#isClosed) await within(DEADLINE_MS, `the end of:\n${this.#screen}`, once(this.#child, 'close'));
    return this.#child.exitCode;
  }
}

/** The twelve words that a screen shows. */
export function wordsOn(screen: string): readonly string[] {
  return [...screen.matchAll(/(?:^|\s)\d{1,2} ([a-z]{3,8})(?=\s|$)/g)].map(([, word]) => word ?? '').slice(-12);
}
