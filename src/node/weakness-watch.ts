/** Says what of the configuration is weaker than by default: at start, once an hour, and on record when it has changed. */
import { hash } from 'node:crypto';
import { readKeyFile } from '../admin/key-file.ts';
import type { PeerFile } from '../config/peer-file.ts';
import { weakeningsOf } from '../config/weakenings.ts';
import type { Weakening } from '../core/weakening.ts';
import { type Clock, SYSTEM_CLOCK } from '../transport/clock.ts';
import type { Base } from './base.ts';
import type { Federation } from './federation.ts';

const LOOK_EVERY_MS = 3_600_000;
const EVENT = 'configuration_weakened';

export interface WeaknessDeps {
  readonly now: () => readonly Weakening[];
  readonly auditPage: Base['reader']['auditPage'];
  readonly audit: Base['writer']['audit'];
  readonly onWeakened: (weakenings: readonly Weakening[]) => void;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

export class WeaknessWatch {
  readonly #deps: WeaknessDeps;
  #work: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(deps: WeaknessDeps) {
    this.#deps = deps;
  }

  /** Looks now, and every hour from now on. */
  start(): void {
    void this.look();
    if (!this.#isStopped) this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => this.start());
  }

  /** Never rejects: what failed is tried with the next look. */
  look(): Promise<void> {
    this.#work = this.#work.then(() => (this.#isStopped ? undefined : this.#look())).catch(this.#deps.onError);
    return this.#work;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#work;
  }

  async #look(): Promise<void> {
    const found = this.#deps.now();
    this.#deps.onWeakened(found);
    const list = found.map(({ code, where }) => `${code} ${where}`);
    const { records } = await this.#deps.auditPage({ event: EVENT, order: 'desc', limit: 1 });
    const text = JSON.stringify(list);
    const sha256 = hash('sha256', text, 'hex');
    // A record cuts long lists and texts: the hash is of the whole. Records of before have none.
    const before = records[0]?.detail ?? { weakenings: [] };
    const isSame =
      before['sha256'] === undefined ? JSON.stringify(before['weakenings']) === text : before['sha256'] === sha256;
    // An empty list is a record, too, where there was another: that it has ended is as much to know.
    if (!isSame) await this.#deps.audit({ event: EVENT, detail: { weakenings: list, count: list.length, sha256 } });
  }
}

/** As of now: peer files and keys change while a node runs. */
export function weakeningsNow(
  { config, paths }: Pick<Base, 'config' | 'paths'>,
  files: ReadonlyMap<string, PeerFile>,
): readonly Weakening[] {
  return weakeningsOf(config, [...files.values()], readKeyFile(paths.apiKeys));
}

/** From when the node may write. */
export function startWeaknessWatch(
  base: Base,
  federation: Pick<Federation, 'files' | 'decided'>,
  owned: AsyncDisposableStack,
  clock: Clock = SYSTEM_CLOCK,
): WeaknessWatch {
  const watch = new WeaknessWatch({
    now: () => weakeningsNow(base, federation.files()),
    auditPage: (filter) => base.reader.auditPage(filter),
    audit: (input) => base.writer.audit(input),
    onWeakened: (weakenings) => base.events.configurationWeakened(weakenings),
    onError: (error) => base.logger.error({ err: error }, 'the configuration cannot be looked after'),
    clock,
  });
  owned.defer(() => watch.stop());
  federation.decided.then(
    () => watch.start(),
    () => {}, // the node does not start, which is told elsewhere
  );
  return watch;
}
