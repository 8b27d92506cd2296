/**
 * The machine under a simulated mesh: one virtual clock with its timers, one stream of random bytes. It stands in for the
 * platform's own as long as a run lasts, so that the product's code runs as it is, and twice the same.
 *
 * Timers behave as Node's do, also where that surprises: a delay above 2³¹ − 1 ms fires after one.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { Crash } from './disk.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;
/** Steps at one instant: code that never waits would hold the clock for ever. */
const MAX_STEPS_AT_ONCE = 200_000;
/** Steps a second, for so many seconds, that no mesh of this size has a use for: something asks again without a pause. */
const BUSY_STEPS = 900;
const BUSY_SECONDS = 10;
/** A file that is read beside the event loop is mostly there at once, and at times when everything else is over. */
const FILE_MS = [1, 1, 5, 20, 20_000];
const nativeImmediate = setImmediate;

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly timer: VirtualTimer;
  readonly turn: number;
}

/** Timers that end together: those of a process that dies. */
export class Scope {
  readonly timers: Set<VirtualTimer> = new Set();
  isOver = false;

  end(): void {
    this.isOver = true;
    for (const timer of this.timers) timer.clear();
    this.timers.clear();
  }
}

class VirtualTimer {
  readonly #scope: Scope | undefined;
  readonly #platform: Platform;
  readonly #delayMs: number;
  readonly #repeats: boolean;
  readonly #run: () => void;
  /** An entry of the queue counts only if it is of this turn. */
  turn = 0;

  constructor(platform: Platform, delayMs: number, repeats: boolean, run: () => void) {
    this.#platform = platform;
    this.#delayMs = delayMs >= 1 && delayMs <= MAX_DELAY_MS ? Math.trunc(delayMs) : 1;
    this.#repeats = repeats;
    this.#run = run;
    this.#scope = platform.scope;
    this.#scope?.timers.add(this);
    this.refresh();
  }

  refresh(): this {
    this.turn++;
    if (this.#scope?.isOver === true) return this;
    this.#platform.enqueue(this, this.#delayMs);
    return this;
  }

  clear(): void {
    this.turn++;
  }

  fire(): void {
    if (this.#repeats) this.refresh();
    else this.turn++;
    if (this.#scope === undefined) this.#run();
    else this.#platform.within(this.#scope, this.#run);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

export class Platform {
  readonly #startMs: number;
  readonly #chance: Chance;
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  #stepsAtOnce = 0;
  #second = 0;
  #stepsInSecond = 0;
  #busySeconds = 0;
  /** Nothing paused for a while, though time went on. */
  isBusy = false;
  readonly #verified = new Map<string, boolean>();
  /** Of the code that runs now. */
  scope: Scope | undefined;

  /** @param startMs Unix ms at which the run begins */
  constructor(startMs: number, chance: Chance) {
    this.#startMs = startMs;
    this.#chance = chance;
  }

  /** Since the start, ms. */
  get elapsedMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Unix ms. */
  readonly nowMs = (): number => this.#startMs + this.#nowMs;

  enqueue(timer: VirtualTimer, delayMs: number): void {
    push(this.#heap, { dueMs: this.#nowMs + delayMs, order: this.#order++, timer, turn: timer.turn });
  }

  after(delayMs: number, run: () => void): { clear(): void } {
    return new VirtualTimer(this, delayMs, false, run);
  }

  /** Timers that `work` starts belong to the scope. */
  within<T>(scope: Scope, work: () => T): T {
    const before = this.scope;
    this.scope = scope;
    try {
      return work();
    } finally {
      this.scope = before;
    }
  }

  /** Lets everything happen that is due within `ms`, and that time pass. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= endMs; next = this.#heap[0]) {
      pop(this.#heap);
      if (next.turn !== next.timer.turn) continue;
      this.#stepsAtOnce = next.dueMs > this.#nowMs ? 0 : this.#stepsAtOnce + 1;
      if (this.#stepsAtOnce > MAX_STEPS_AT_ONCE) throw new Error(`time stands still at ${this.#nowMs} ms`);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#steps++;
      this.#watchPace();
      this.#fire(next.timer);
      await settle();
    }
    this.#nowMs = endMs;
  }

  #watchPace(): void {
    const second = Math.floor(this.#nowMs / 1_000);
    if (second !== this.#second) {
      const isNext = second === this.#second + 1;
      this.#busySeconds = isNext && this.#stepsInSecond > BUSY_STEPS ? this.#busySeconds + 1 : 0;
      if (this.#busySeconds >= BUSY_SECONDS) this.isBusy = true;
      this.#second = second;
      this.#stepsInSecond = 0;
    }
    this.#stepsInSecond++;
  }

  /** What dies in a timer ends its process, and that has been told; anything else that it throws is a fault of the product. */
  #fire(timer: VirtualTimer): void {
    try {
      timer.fire();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }

  /** Puts this in place of the machine's own clock, timers and randomness. */
  install(): void {
    standIn();
    this.#verified.clear();
    active = this;
  }

  uninstall(): void {
    active = undefined;
  }

  /** The same signature is looked at by three nodes, many times: a pure function need not be computed again. */
  verify(name: string, compute: () => boolean): boolean {
    const answer = this.#verified.get(name) ?? compute();
    this.#verified.set(name, answer);
    return answer;
  }

  fill<T extends Uint8Array>(bytes: T): T {
    return this.#chance.fill(bytes);
  }

  below(below: number): number {
    return this.#chance.below(below);
  }

  /** What the thread pool does takes a time that is drawn: how busy the machine is must not decide a run. */
  async open(path: string, flags: string): Promise<Pick<fsPromises.FileHandle, 'close'> & OpenFile> {
    await this.sleep(this.#chance.pick(FILE_MS));
    const file = fs.openSync(path, flags);
    return {
      stat: async () => fs.fstatSync(file),
      read: async (buffer, offset, length, position) => ({
        bytesRead: fs.readSync(file, buffer, offset, length, position),
      }),
      close: async () => fs.closeSync(file),
    };
  }

  readonly sleep = <T>(ms: number, value?: T, options: { signal?: AbortSignal } = {}): Promise<T | undefined> => {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        timer.clear();
        reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
      };
      const timer = new VirtualTimer(this, ms, false, () => {
        signal?.removeEventListener('abort', stop);
        resolve(value);
      });
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  };
}

/** What the product does with a file that it opens so. */
interface OpenFile {
  stat(): Promise<fs.Stats>;
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** The machine under the run of this moment; none: the real one. */
let active: Platform | undefined;
let isInPlace = false;

/**
 * Once in a process, not once in a run: code that V8 has compiled for the functions that it found in place is thrown away
 * whenever they are replaced.
 */
function standIn(): void {
  if (isInPlace) return;
  isInPlace = true;
  const real = { setTimeout, setInterval, clearTimeout, clearInterval, sleep: timersPromises.setTimeout };
  const { now } = Date;
  const monotonic = performance.now.bind(performance);
  const clear = (native: (timer: never) => void) => (timer: unknown) =>
    timer instanceof VirtualTimer ? timer.clear() : native(timer as never);
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 1) =>
      active === undefined ? real.setTimeout(run, ms) : new VirtualTimer(active, ms, false, run),
    setInterval: (run: () => void, ms = 1) =>
      active === undefined ? real.setInterval(run, ms) : new VirtualTimer(active, ms, true, run),
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
  });
  Date.now = () => (active === undefined ? now() : active.nowMs());
  performance.now = () => (active === undefined ? monotonic() : active.elapsedMs);
  Object.assign(timersPromises, {
    setTimeout: (ms: number, value: unknown, options?: { signal?: AbortSignal }) =>
      (active === undefined ? real.sleep : active.sleep)(ms, value, options),
  });
  const { open } = fsPromises;
  Object.assign(fsPromises, {
    open: (path: string, flags: string) => (active === undefined ? open(path, flags) : active.open(path, flags)),
  });
  const { randomFillSync, randomBytes, randomInt, verify } = crypto;
  Object.assign(crypto, {
    randomFillSync: (bytes: Uint8Array) => (active === undefined ? randomFillSync(bytes) : active.fill(bytes)),
    randomBytes: (size: number) => (active === undefined ? randomBytes(size) : active.fill(Buffer.alloc(size))),
    randomInt: (below: number) => (active === undefined ? randomInt(below) : active.below(below)),
    verify: rememberVerify(verify),
  });
  syncBuiltinESMExports();
}

function rememberVerify(verify: typeof crypto.verify): (...args: Parameters<typeof crypto.verify>) => boolean {
  const keys = new WeakMap<crypto.KeyObject, number>();
  let count = 0;
  const bytes = (view: NodeJS.ArrayBufferView): string =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
  return (algorithm, data, key, signature) => {
    const compute = (): boolean => verify(algorithm, data, key, signature);
    if (active === undefined || !(key instanceof crypto.KeyObject)) return compute();
    const id = keys.get(key) ?? ++count;
    keys.set(key, id);
    return active.verify(`${id} ${bytes(signature)} ${bytes(data as NodeJS.ArrayBufferView)}`, compute);
  };
}

/** Resolves when no promise is left that could go on by itself. */
function settle(): Promise<void> {
  return new Promise((resolve) => nativeImmediate(resolve));
}

function before(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(entry, heap[parent] as Entry)) break;
    heap[at] = heap[parent] as Entry;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry;
  if (heap.length === 0) return;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
    if (!before(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
}
