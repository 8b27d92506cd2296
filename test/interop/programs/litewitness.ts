import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { EMPTY_ROOT } from '../../../src/merkle/hash.ts';
import { parseVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { goProgram } from './go-program.ts';
import { answers, type Ends, freePorts, Server, serverFolder } from './server.ts';

const run = promisify(execFile);

/** The witness of the torchwood project, its key in a real ssh-agent. */
export interface Litewitness {
  /** without a slash at the end; `POST <url>/add-checkpoint` */
  readonly url: string;
  readonly version: string;
  readonly name: string;
  /** its verifier key, of type cosignature/v1 */
  readonly vkey: string;
  /** 32 bytes */
  readonly publicKey: Uint8Array;
  /**
   * Lets it cosign for a log, under the origin that the key's name is; it may run meanwhile.
   *
   * @param vkeys Ed25519 verifier keys of one log
   */
  addLog(...vkeys: readonly string[]): void;
  readonly server: Server;
}

/** Builds it if need be, starts it with a key of its own and without logs, and ends it with the test. */
export async function startLitewitness(ends: Ends, name = 'witness.example/litewitness'): Promise<Litewitness> {
  const { path, version } = await goProgram('litewitness');
  const { folder, add } = serverFolder(ends);
  const agent = await startAgent(folder, add);
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'witness.db');
  const url = `http://127.0.0.1:${port}`;
  const flags = ['-name', name, '-db', file, '-ssh-agent', agent.socket, '-key', agent.fingerprint];
  const args = [...flags, '-listen', `127.0.0.1:${port}`];
  const server = add(new Server({ name: 'litewitness', path, args, ready: () => answers(url) }));
  await server.start();
  const vkey = /vkey=(\S+)/.exec(server.output)?.[1] ?? '';
  const key = parseVerifierKey(vkey);
  if (!key.ok) throw new Error(`litewitness gives no verifier key\n${server.output}`);
  const { publicKey } = key.value;
  return { url, version, name, vkey, publicKey, addLog: (...vkeys) => addLog(file, vkeys), server };
}

async function startAgent(
  folder: string,
  add: (server: Server) => Server,
): Promise<{ readonly socket: string; readonly fingerprint: string }> {
  const socket = join(folder, 'agent.sock');
  const key = join(folder, 'key');
  const args = ['-D', '-a', socket];
  await add(new Server({ name: 'ssh-agent', path: 'ssh-agent', args, ready: () => stat(socket) })).start();
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  await run('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const { stdout } = await run('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${key}.pub`]);
  return { socket, fingerprint: stdout.split(' ')[1] ?? '' };
}

/** As `witnessctl add-log` and `add-key` do, which cannot be built everywhere: it requires the code of another log. */
function addLog(file: string, vkeys: readonly string[]): void {
  const keys = vkeys.map((vkey) => ({ vkey, origin: vkey.split('+')[0] ?? '' }));
  const db = new Database(file, { fileMustExist: true });
  try {
    const log = db.prepare('INSERT OR IGNORE INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)');
    const key = db.prepare('INSERT INTO key (origin, key) VALUES (?, ?)');
    for (const { vkey, origin } of keys) {
      log.run(origin, encodeBase64(EMPTY_ROOT));
      key.run(origin, vkey);
    }
  } finally {
    db.close();
  }
}
