/** A node under attack, in a process of its own so that its memory can be measured. Run by fork(). */
import { createTransport } from '../../../src/transport/node.ts';
import { LOCAL, PROTOCOL, peerIdOfName, seedOf } from '../../integration/transport/harness.ts';

/** What the victim tells when it is asked. */
export interface Report {
  readonly startRss: number;
  readonly peakRss: number;
  /** Longest stall of its event loop that was work of its own, in ms: not what others had the processor for. */
  readonly stallMs: number;
  /** `refused`, `timeout`, `unknown_peer`, …: codes of errors and refusals, with how often. */
  readonly codes: Record<string, number>;
  readonly answering: number;
  readonly mostAnswering: number;
  readonly evilConnected: boolean;
}

const codes: Record<string, number> = {};
const count = (code: string): void => {
  codes[code] = (codes[code] ?? 0) + 1;
};
const evil = await peerIdOfName('evil');
const allowed = [evil, await peerIdOfName('good')].map((peerId) => ({ peerId, addresses: [] }));
const transport = await createTransport({
  seed: seedOf('victim'),
  listen: [LOCAL],
  allowed: () => allowed,
  limits: { upgradeTimeoutMs: 2_000, maxInboundPerSecond: 200 },
  onRefused: ({ reason }) => count(reason),
  onError: ({ code }) => count(code),
});

let answering = 0;
let mostAnswering = 0;
const page = Buffer.alloc(300_000);
await transport.serve(PROTOCOL, {
  maxInboundStreams: 4,
  limits: { idleMs: 1_000, totalMs: 20_000, maxRequestBytes: 16 << 10 },
  *handler() {
    mostAnswering = Math.max(mostAnswering, ++answering);
    try {
      for (let i = 0; i < 500; i++) yield page;
    } finally {
      answering--;
    }
  },
  onError: ({ code }) => count(code),
});

const startRss = process.memoryUsage.rss();
let peakRss = startRss;
let stallMs = 0;
let lastMs = performance.now();
let lastCpu = process.threadCpuUsage();
setInterval(() => {
  const nowMs = performance.now();
  const { user, system } = process.threadCpuUsage(lastCpu);
  lastCpu = process.threadCpuUsage();
  stallMs = Math.max(stallMs, Math.min(nowMs - lastMs - 20, (user + system) / 1_000));
  lastMs = nowMs;
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
}, 20);
process.on('message', () => {
  const evilConnected = transport.connected(evil);
  process.send?.({ startRss, peakRss, stallMs, codes, answering, mostAnswering, evilConnected } satisfies Report);
});
process.on('disconnect', () => process.exit());
process.send?.(transport.addresses()[0]);
