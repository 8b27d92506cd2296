/** One or more hostile peers as a process of their own. What they do stands in a module that exports `behaviours`. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HostileReport, Listening } from '../../src/drill/hostile-peer.ts';
import { type Bench, endNow, type NodeProcess, type PeerLine, STEP_MS, within } from './node-process.ts';

const ENTRY = fileURLToPath(new URL('./hostile-main.ts', import.meta.url));

export interface HostileOrder {
  readonly id: number;
  readonly name: string;
  /** `behave`: stop lying. `call`: do what the behaviour does to a node that it calls. */
  readonly what: 'report' | 'behave' | 'call';
  readonly victim?: { readonly peerId: string; readonly address: string };
}

export interface HostileAnswer {
  /** 0: it listens now. */
  readonly id: number;
  readonly answer: unknown;
}

interface HostileOptions {
  /** Node id that pages are signed for, until whoever asks has said its own. */
  readonly receiver?: string;
  /** Where it listens. */
  readonly host?: string;
}

export class HostileProcess {
  readonly #child: ChildProcess;
  readonly #peers: Readonly<Record<string, Listening>>;
  #lastId = 0;

  private constructor(child: ChildProcess, peers: Readonly<Record<string, Listening>>) {
    this.#child = child;
    this.#peers = peers;
  }

  /**
   * @param module file URL of the module with `behaviours`
   */
  static async start(
    bench: Bench,
    module: string,
    names: readonly string[],
    { receiver = 'stigmem://victim.example', host = '127.0.0.1' }: HostileOptions = {},
  ): Promise<HostileProcess> {
    const child = bench.spawn(`hostile ${names[0] ?? ''}`, [ENTRY, module, receiver, host, ...names], 'ipc');
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`it ended\n${bench.tails()}`)));
    const first = once(child, 'message').then(([message]) => (message as HostileAnswer).answer);
    const peers = await within(STEP_MS, 'the hostile process listens', Promise.race([first, ended]));
    return new HostileProcess(child, peers as Readonly<Record<string, Listening>>);
  }

  /** The line in the victim's peer file. */
  asPeer(name: string, grants: Pick<PeerLine, 'share' | 'accept'> = { accept: ['public'] }): PeerLine {
    const { nodeId, peerId, address, logKey } = this.#listening(name);
    return { nodeId, peerId, addresses: [address], logKey, ...grants };
  }

  report(name: string): Promise<HostileReport> {
    return this.#order({ name, what: 'report' });
  }

  behave(name: string): Promise<HostileReport> {
    return this.#order({ name, what: 'behave' });
  }

  call(name: string, victim: NodeProcess): Promise<HostileReport> {
    return this.#order({ name, what: 'call', victim: { peerId: victim.peerId, address: victim.address } });
  }

  /** Takes what the others leave of the processor, as if it had a machine of its own. */
  giveWay(): void {
    setPriority(this.#child.pid ?? 0, constants.priority.PRIORITY_LOW);
  }

  async stop(): Promise<void> {
    await endNow(this.#child);
  }

  #listening(name: string): Listening {
    const found = this.#peers[name];
    if (found === undefined) throw new Error(`no hostile peer ${name}`);
    return found;
  }

  async #order(order: Omit<HostileOrder, 'id'>): Promise<HostileReport> {
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<HostileReport>();
    const onMessage = (message: HostileAnswer): void => {
      if (message.id !== id) return;
      this.#child.off('message', onMessage);
      answered.resolve(message.answer as HostileReport);
    };
    this.#child.on('message', onMessage);
    this.#child.send({ ...order, id }, (error) => {
      if (error !== null) answered.reject(error);
    });
    return within(STEP_MS, `${order.name} does: ${order.what}`, answered.promise);
  }
}
