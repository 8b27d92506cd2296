/**
 * A network of its own for the soak: one loopback interface in a network namespace of which nothing else knows, and a rule of
 * the kernel's packet filter that drops a share of the packets to and from the address that peers use. What is lost is sent
 * again by the kernel's TCP, as between machines. The API has another address and loses nothing: it is what measures.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Where peers reach each other. */
export const LOSSY_HOST = '127.0.1.1';
const INSIDE = 'STIGMEM_SOAK_INSIDE';

/** Starts the program again inside of a namespace of its own. @returns its exit code; null: this is the inside */
export async function runInside(program: string, args: readonly string[]): Promise<number | null> {
  if (process.env[INSIDE] !== undefined) return null;
  const env = { ...process.env, [INSIDE]: '1' };
  const child = spawn('unshare', ['--net', process.execPath, program, ...args], { stdio: 'inherit', env });
  // Ctrl-C reaches both: the inside ends with the figures of what was run.
  process.on('SIGINT', () => {});
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}

/** @param percent of the packets, in each direction, drawn by the kernel */
export function losePackets(percent: number): void {
  run('ip', ['link', 'set', 'lo', 'up']);
  const lost = `numgen random mod 1000 < ${Math.round(percent * 10)} counter drop`;
  run('nft', ['add', 'table', 'ip', 'soak']);
  run('nft', ['add', 'chain', 'ip', 'soak', 'in', '{ type filter hook input priority 0; }']);
  for (const side of ['saddr', 'daddr'])
    run('nft', ['add', 'rule', 'ip', 'soak', 'in', `ip ${side} ${LOSSY_HOST} counter ${lost}`]);
}

export interface Loss {
  /** Packets to and from the peers' address, and how many of them were dropped. */
  readonly packets: number;
  readonly dropped: number;
}

export function lossSoFar(): Loss {
  const told = execFileSync('nft', ['list', 'chain', 'ip', 'soak', 'in'], { encoding: 'utf8' });
  const counts = [...told.matchAll(/counter packets (\d+)/g)].map((match) => Number(match[1]));
  const sum = (from: number): number => counts.filter((_, i) => i % 2 === from).reduce((all, one) => all + one, 0);
  return { packets: sum(0), dropped: sum(1) };
}

function run(program: string, args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${program} ${args.join(' ')} failed. The soak needs Linux, root, iproute2 and nftables. ${why}`);
  }
}
