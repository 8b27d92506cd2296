/** The program as a user runs it: a process, its output, its exit code. Everything ends, and is removed, with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { MAIN, within } from './node-process.ts';

const DEADLINE_MS = 180_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  readonly json: () => any;
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: string[] = [];
  #wake = (): void => undefined;
  #isClosed = false;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#isClosed = true;
        const { stdout, stderr } = this;
        resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) });
        this.#wake();
      });
    });
  }

  /** The next line of standard output that matches. */
  async line(pattern: RegExp = /./): Promise<string> {
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, DEADLINE_MS);
    try {
      for (;;) {
        for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift())
          if (pattern.test(line)) return line;
        // Ended is not closed: lines may still be in the pipe.
        if (this.#isClosed || isLate) throw new Error(`no line ${pattern} came; standard error:\n${this.stderr}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return within(DEADLINE_MS, `it ends by ${signal}`, this.ended).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.stderr}`);
    });
  }
}

export class CliProcesses {
  /** A folder of the test's own; also the TMPDIR of its processes. */
  readonly root: string;
  readonly #running = new Set<Running>();

  constructor(t: TestContext) {
    this.root = mkdtempSync(join(tmpdir(), 'peerd-e2e-'));
    t.after(async () => {
      await Promise.all([...this.#running].map((running) => running.stop('SIGKILL')));
      // Whose parent was killed goes on: a demo has nodes.
      for (const pid of processesIn(this.root)) killIfThere(pid);
      rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  dir(name: string): string {
    return join(this.root, name);
  }

  /** @param main of another program than the one under test */
  start(args: string | readonly string[], stdin?: string, main: string = MAIN): Running {
    const list = typeof args === 'string' ? args.split(' ') : args;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STIGMEM_')));
    const child = spawn(process.execPath, [main, ...list], {
      cwd: this.root,
      env: { ...env, TMPDIR: this.root, NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
    const running = new Running(child);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  run(args: string | readonly string[], stdin?: string): Promise<Ended> {
    return this.start(args, stdin).ended;
  }

  /** Makes a node and starts it on free ports. @returns the daemon, when it listens */
  async node(name: string): Promise<Running> {
    if (!existsSync(join(this.dir(name), 'config.toml'))) {
      const made = await this.run(`init --data ${name} --node-id stigmem://${name}.example`);
      if (made.code !== 0) throw new Error(made.stderr);
    }
    const daemon = this.start(`run --data ${name} --api-port 0 --listen /ip4/127.0.0.1/tcp/0`);
    await daemon.line(/ listens: api /);
    return daemon;
  }
}

/** Processes whose command line names this folder; none where no /proc says so. */
export function processesIn(folder: string): readonly number[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && commandLine(name).includes(folder))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
