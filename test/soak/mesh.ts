/** The nodes of a soak: each a daemon of its own, all peers of each other and of one hostile peer; writers, readers, restarts. */
import { readdirSync, readFileSync } from 'node:fs';
import { HostileProcess } from '../support/hostile-process.ts';
import type { Bench, NodeProcess } from '../support/node-process.ts';
import { FactBook, type Told } from './fact-book.ts';

const HOSTILE = new URL('./hostile.ts', import.meta.url).href;
/** The first of them are never restarted: what grows slowly shows only in a process that lives long. */
export const NEVER_RESTARTED = 3;
const TICKS_PER_SECOND = 100;
const AGAIN_MS = 300;

export interface MeshOptions {
  readonly nodes: number;
  /** Where peers reach each other. */
  readonly host: string;
  /** Each node: a batch about so often, of one up to so many facts. */
  readonly batchEveryMs: number;
  readonly maxBatch: number;
  readonly restartEveryMs: number;
  readonly maxDownMs: number;
  readonly callEveryMs: number;
}

/** What /proc says of a process. */
export interface Measured {
  readonly life: string;
  readonly ageS: number;
  readonly rssMiB: number;
  readonly handles: number;
  readonly cpuS: number;
}

interface Life {
  count: number;
  startedMs: number;
  isDown: boolean;
}

export class SoakMesh {
  readonly book: FactBook;
  readonly nodes: readonly NodeProcess[];
  restarts = { asked: 0, killed: 0 };
  /** Calls of the hostile peer, and those that did not end in time. */
  calls = 0;
  unanswered = 0;
  readonly #options: MeshOptions;
  readonly #hostile: HostileProcess;
  readonly #lives: readonly Life[];
  readonly #stopping = new AbortController();
  readonly #reading = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #reads: Promise<unknown> = Promise.resolve();

  private constructor(nodes: readonly NodeProcess[], hostile: HostileProcess, options: MeshOptions) {
    this.nodes = nodes;
    this.#hostile = hostile;
    this.#options = options;
    const startedMs = performance.now();
    this.#lives = nodes.map(() => ({ count: 0, startedMs, isDown: false }));
    this.book = new FactBook((node, sinceMs) => {
      const life = this.#lives[node];
      return life === undefined || life.isDown || life.startedMs > sinceMs;
    });
  }

  static async start(bench: Bench, options: MeshOptions): Promise<SoakMesh> {
    const names = Array.from({ length: options.nodes }, (_, i) => `n${i}`);
    const nodes: NodeProcess[] = [];
    for (const name of names) {
      const node = await bench.node(`${name}.example`, ['log.level=warn'], name, options.host);
      nodes.push(await node.start());
    }
    const hostile = await HostileProcess.start(bench, HOSTILE, ['hostile'], { host: options.host });
    const grants = { share: ['public'], accept: ['public'] };
    for (const node of nodes) {
      nodes.forEach((other, i) => {
        if (other !== node) node.writePeer(`n${i}`, other.asPeer(grants));
      });
      node.writePeer('hostile', hostile.asPeer('hostile', grants));
    }
    return new SoakMesh(nodes, hostile, options);
  }

  /** Writes, reads, restarts and attacks begin. */
  begin(): void {
    const { signal } = this.#stopping;
    const { restartEveryMs, callEveryMs } = this.#options;
    this.#reads = this.#all(this.nodes.map((_, i) => this.#read(i)));
    this.#work = this.#all([
      ...this.nodes.map((_, i) => this.#write(i)),
      repeat(restartEveryMs, signal, () => this.#restart()),
      repeat(callEveryMs, signal, () => this.#attack()),
    ]);
  }

  /** Resolves when what was under way is done: every batch acknowledged, every node up. */
  async endWork(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  async endReads(): Promise<void> {
    this.#reading.abort();
    await this.#reads;
  }

  async endNodes(): Promise<void> {
    for (const [at, node] of this.nodes.entries()) await this.#stop(at, node);
  }

  /** undefined: it is down. */
  measure(node: number): Measured | undefined {
    const life = this.#lives[node];
    const pid = this.nodes[node]?.pid;
    if (life === undefined || life.isDown || pid === undefined) return undefined;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return {
        life: `n${node}.${life.count}`,
        ageS: (performance.now() - life.startedMs) / 1000,
        rssMiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024,
        handles: readdirSync(`/proc/${pid}/fd`).length,
        cpuS: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND,
      };
    } catch {
      return undefined;
    }
  }

  /** What fails is a finding; the others go on. */
  async #all(work: readonly Promise<void>[]): Promise<void> {
    const noted = work.map((one) => one.catch((error: unknown) => void this.book.problems.push(String(error))));
    await Promise.all(noted);
  }

  async #write(node: number): Promise<void> {
    const { signal } = this.#stopping;
    const { batchEveryMs, maxBatch } = this.#options;
    for (let batch = 0; ; batch++) {
      await pause(batchEveryMs * (0.5 + Math.random()), signal);
      if (signal.aborted) return;
      const facts = Array.from({ length: 1 + Math.floor(Math.random() * maxBatch) }, (_, i) => ({
        entity: `stigmem://n${node}.example/thing/${batch}-${i}`,
        value: `state ${batch}-${i} of ${node}`,
      }));
      this.book.asserting(node, facts, performance.now());
      await this.#assert(node, facts);
    }
  }

  /** Until it is acknowledged, as a client does: what was stored before a kill is there already, and is not stored twice. */
  async #assert(node: number, facts: readonly Told[]): Promise<void> {
    const source = `stigmem://n${node}.example/agent/a`;
    const body = {
      facts: facts.map(({ entity, value }) => ({
        entity,
        relation: 'test:state',
        value: { type: 'text', v: value },
        source,
        scope: 'public',
      })),
    };
    for (;;) {
      const answer = await this.nodes[node]?.post('/v1/facts', body).catch(() => undefined);
      if (answer?.status === 201) return this.book.stored(facts);
      if (answer !== undefined && answer.status < 500 && answer.status !== 429)
        throw new Error(`a write at n${node}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await pause(AGAIN_MS);
    }
  }

  async #read(node: number): Promise<void> {
    const { signal } = this.#reading;
    for (let after = 0; !signal.aborted; ) {
      const path = `/v1/changes?after=${after}&limit=500&wait_s=5`;
      const answer = await this.nodes[node]?.get(path).catch(() => undefined);
      if (answer?.status !== 200) {
        if (answer?.status === 409) this.book.problems.push(`n${node}: ${JSON.stringify(answer.body)}`);
        await pause(AGAIN_MS, signal);
        continue;
      }
      const atMs = performance.now();
      for (const { fact } of answer.body.changes)
        this.book.seen(node, { entity: fact.entity, value: fact.value.v }, atMs);
      after = answer.body.position;
    }
  }

  async #restart(): Promise<void> {
    const at = NEVER_RESTARTED + Math.floor(Math.random() * (this.nodes.length - NEVER_RESTARTED));
    const node = this.nodes[at];
    const life = this.#lives[at];
    if (node === undefined || life === undefined) return;
    life.isDown = true;
    if (Math.random() < 0.5) {
      await this.#stop(at, node);
      this.restarts.asked++;
    } else {
      await node.kill();
      this.restarts.killed++;
    }
    await pause(Math.random() * this.#options.maxDownMs, this.#stopping.signal);
    await node.start();
    life.count++;
    life.startedMs = performance.now();
    life.isDown = false;
  }

  /** One that takes too long is a finding; it is killed, and the soak goes on. */
  async #stop(at: number, node: NodeProcess): Promise<void> {
    try {
      const code = await node.stop();
      if (code !== 0) this.book.problems.push(`n${at} ended with ${code}`);
    } catch (error) {
      this.book.problems.push(String(error));
      await node.kill();
    }
  }

  async #attack(): Promise<void> {
    const node = this.nodes[Math.floor(Math.random() * this.nodes.length)];
    if (node === undefined) return;
    await this.#hostile.call('hostile', node).then(
      () => this.calls++,
      () => this.unanswered++,
    );
  }
}

async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    await pause(everyMs * (0.5 + Math.random()), signal);
    if (signal.aborted) return;
    await work();
  }
}

export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, Math.max(0, ms));
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
  });
}
