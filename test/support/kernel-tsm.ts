/**
 * What Linux does behind configfs-tsm (drivers/virt/coco/guest/report.c), in memory: no machine of ours has the real one.
 * Reports are made by `report`; everything around them is the kernel's: names, generations, errors.
 */
import type { TsmFolder } from '../../src/anchor/tsm-report.ts';

interface Request {
  inblob: Buffer;
  generation: number;
}

export class KernelTsm implements TsmFolder {
  readonly requests: Map<string, Request> = new Map();
  provider = 'sev_guest';
  /** Null: the attribute is not visible. */
  auxblob: Buffer | null = Buffer.alloc(0);
  /** An error that the next calls of this operation end with: `read outblob`, `mkdir`, … */
  readonly faults: Map<string, string> = new Map();
  /** The device answers something else; `inblob` is lost when its file is closed; somebody else writes into the request too. */
  disturbed: 'other_answer' | 'inblob_lost' | 'written_twice' | null = null;
  readonly #report: (nonce: Buffer) => Buffer;

  constructor(report: (nonce: Buffer) => Buffer) {
    this.#report = report;
  }

  exists(): boolean {
    return true;
  }

  async mkdir(name: string): Promise<void> {
    this.#fail('mkdir');
    if (this.requests.has(name)) throw errno('EEXIST');
    this.requests.set(name, { inblob: Buffer.alloc(0), generation: 0 });
  }

  async rmdir(name: string): Promise<void> {
    this.#fail('rmdir');
    if (!this.requests.delete(name)) throw errno('ENOENT');
  }

  async write(name: string, attribute: string, bytes: Uint8Array): Promise<void> {
    this.#fail(`write ${attribute}`);
    const request = this.#of(name);
    if (attribute !== 'inblob') throw errno('EACCES');
    if (bytes.length > 64) throw errno('EFBIG');
    if (this.disturbed === 'inblob_lost') return;
    request.inblob = Buffer.from(bytes);
    request.generation += this.disturbed === 'written_twice' ? 2 : 1;
  }

  async read(name: string, attribute: string): Promise<Buffer> {
    this.#fail(`read ${attribute}`);
    const { generation, inblob } = this.#of(name);
    if (attribute === 'generation') return Buffer.from(`${generation}\n`);
    if (attribute === 'provider') return Buffer.from(`${this.provider}\n`);
    if (attribute === 'auxblob' && this.auxblob !== null) return this.auxblob;
    if (attribute !== 'outblob') throw errno('ENOENT');
    // A request with no input has no report.
    if (inblob.length === 0) throw errno('EINVAL');
    return this.#report(this.disturbed === 'other_answer' ? Buffer.alloc(64) : inblob);
  }

  #of(name: string): Request {
    const request = this.requests.get(name);
    if (request === undefined) throw errno('ENOENT');
    return request;
  }

  #fail(operation: string): void {
    const code = this.faults.get(operation);
    if (code !== undefined) throw errno(code);
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: as the kernel says it`), { code });
}
