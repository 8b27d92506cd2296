/** The node under attack, as whoever runs the drill sees it: where peers reach it and, with a key, what its API says. */
import { readFileSync } from 'node:fs';
import { readDaemonFile } from '../../../src/config/daemon-file.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import type { Answer } from '../../support/node-process.ts';

const ANSWER_MS = 30_000;

export interface VictimOptions {
  readonly nodeId: string;
  readonly peerId: string;
  /** Multiaddr without the peer id. */
  readonly address: string;
  readonly url: string;
  /** API key; empty: only what is open to everybody is looked at. */
  readonly key: string;
  /** Of the daemon, when it runs on this machine. */
  readonly pid: number | null;
}

export class Victim {
  readonly options: VictimOptions;

  constructor(options: VictimOptions) {
    this.options = options;
  }

  /** The running node of a data folder on this machine. */
  static async ofFolder(dir: string): Promise<Victim> {
    const daemon = readDaemonFile(dir, () => true);
    if (daemon === null)
      throw new Error(`no daemon runs over ${dir}: start it with \`stigmem-peerd run --data ${dir}\``);
    const key = readFileSync(dataPaths(dir).cliToken, 'utf8').trim();
    return Victim.ofApi(daemon.api, key, null, daemon.pid);
  }

  /** @param address where peers reach it; null: the first that it names itself */
  static async ofApi(url: string, key: string, address: string | null, pid: number | null): Promise<Victim> {
    const { body } = await ask(url, key, '/.well-known/stigmem');
    const { node_id: nodeId, peerd } = body;
    const { peer_id: peerId, addresses } = peerd;
    const where = address ?? addresses[0] ?? '';
    return new Victim({ nodeId, peerId, address: where.replace(/\/p2p\/.*$/, ''), url, key, pid });
  }

  get(path: string): Promise<Answer> {
    return ask(this.options.url, this.options.key, path);
  }

  /** All audit records that match; `query` as in a URL. */
  // biome-ignore lint/suspicious/noExplicitAny: records have a shape per event
  async audit(query: string): Promise<readonly any[]> {
    const { body } = await this.get(`/v1/federation/audit?order=asc&limit=500&${query}`);
    return body.entries;
  }

  /** Resident memory in MiB; null where it cannot be seen. */
  memoryMiB(): number | null {
    try {
      const status = readFileSync(`/proc/${this.options.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
    } catch {
      return null;
    }
  }
}

async function ask(url: string, key: string, path: string): Promise<Answer> {
  const headers = { connection: 'close', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) };
  const response = await fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}
