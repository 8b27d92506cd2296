/** Audit records of what has been done already: on a full disk they wait, and are written in their order once there is room. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditInput } from '../journal/read-model.ts';
import type { Logger } from '../observe/logger.ts';

const PAUSE_MS = 1_000;
/** As many as peer files are changed on a disk that stays full; what comes beyond is told in the log of the process alone. */
const MAX_WAITING = 1_000;

export interface LateRecordsDeps {
  /** @throws as long as it cannot be written */
  readonly audit: (input: AuditInput) => Promise<number>;
  readonly logger: Logger;
}

export class LateRecords {
  readonly #deps: LateRecordsDeps;
  readonly #waiting: AuditInput[] = [];
  readonly #stopping = new AbortController();
  #writing: Promise<void> | undefined;

  constructor(deps: LateRecordsDeps) {
    this.#deps = deps;
  }

  /** Never throws. */
  put(input: AuditInput): void {
    if (this.#waiting.length === MAX_WAITING) this.#deps.logger.error({ lost: input }, 'there is no room for a record');
    else this.#waiting.push(input);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Ends the waiting. What cannot be written by then is told in the log of the process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { audit, logger } = this.#deps;
    const { signal } = this.#stopping;
    let isTold = false;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      try {
        await audit(first);
        this.#waiting.shift();
      } catch (error) {
        if (signal.aborted) break;
        if (!isTold)
          logger.error({ error, event: first.event, peer: first.peer }, 'a record waits until it can be written');
        isTold = true;
        await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    for (const lost of this.#waiting.splice(0))
      logger.error({ lost }, 'the node stops before a record could be written');
  }
}
