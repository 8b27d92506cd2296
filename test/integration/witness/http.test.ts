/** C2SP tlog-witness over HTTP, against a real node: its codes, its bodies, what it costs, and a race of a thousand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { checkCosignature } from '../../../src/merkle/cosignature.ts';
import { ALG_ED25519, parseNote } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { formatAddCheckpoint } from '../../../src/merkle/witness-body.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { MeshNode } from '../../support/mesh-node.ts';

const PATH = '/witness/add-checkpoint';
const LOG = new HonestPeer({ authority: 'log.example' }).appendMany(60);
const RACED = new HonestPeer({ authority: 'raced.example' }).appendMany(60);
const vkey = ({ origin, signer }: HonestPeer): string =>
  formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: signer.publicKey });

let node: MeshNode;
before(async () => {
  node = await MeshNode.create('witness.example');
  await node.start({ 'witness.logs': [vkey(LOG), vkey(RACED)].join(',') });
});
after(() => node?.stop());

function body(log: HonestPeer, size: number, old: number, path?: readonly string[]): string {
  const hashes = (path ?? (old === 0 || old > size ? [] : log.consistency(old, size))).map(
    (hash) => decodeBase64(hash) ?? new Uint8Array(0),
  );
  return formatAddCheckpoint({ oldSize: old, path: hashes, checkpoint: log.checkpoint(size) });
}

async function add(text: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await node.post(PATH, text);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

function isCosigned(log: HonestPeer, size: number, lines: string): boolean {
  const note = parseNote(log.checkpoint(size) + lines);
  const { name, publicKey } = node.witnessSigner;
  return note.ok && checkCosignature(note.value, { name, key: publicKey }).ok;
}

test('each status of the protocol, in the order of its checks', async () => {
  const stranger = new HonestPeer({ authority: 'stranger.example' }).appendMany(3);
  const impostor = formatAddCheckpoint({
    oldSize: 0,
    path: [],
    checkpoint: stranger.checkpoint(3).replaceAll(stranger.origin, LOG.origin),
  });
  assert.equal((await add('')).status, 400);
  assert.equal((await add('old 1\n')).status, 400);
  assert.equal((await add(`old 0\n\n${'x'.repeat(10)}`)).status, 404);
  assert.equal((await add(body(stranger, 3, 0))).status, 404);
  assert.equal((await add(impostor)).status, 403);
  assert.equal((await add(body(LOG, 5, 6))).status, 400);
  assert.deepEqual(await add(body(LOG, 9, 5)), { status: 409, type: 'text/x.tlog.size', text: '0\n' });
  assert.equal((await add(body(LOG, 9, 0, LOG.consistency(5, 9)))).status, 422);

  const first = await add(body(LOG, 9, 0));
  assert.deepEqual([first.status, first.type], [200, 'text/plain; charset=utf-8']);
  assert.ok(isCosigned(LOG, 9, first.text));
  assert.deepEqual(await add(body(LOG, 20, 5)), { status: 409, type: 'text/x.tlog.size', text: '9\n' });
  assert.equal((await add(body(LOG, 20, 9, LOG.consistency(8, 20)))).status, 422);
  const again = await add(body(LOG, 9, 9));
  assert.ok(again.status === 200 && isCosigned(LOG, 9, again.text));
  const fork = LOG.fork(4).appendMany(10);
  const other = await add(body(fork, 9, 9));
  assert.deepEqual([other.status, other.type], [409, 'text/plain; charset=utf-8']);
  assert.equal((await add(body(fork, 12, 9))).status, 422);
  const second = await add(body(LOG, 20, 9));
  assert.ok(second.status === 200 && isCosigned(LOG, 20, second.text));
  assert.equal((await add('x'.repeat(70_000))).status, 413);
});

test('monitors get the newest checkpoint cosigned, by the hash of its origin', async () => {
  const hash = (origin: string): string => createHash('sha256').update(origin).digest('hex');
  const { status, text } = await node.get(`/witness/${hash(LOG.origin)}/checkpoint`);
  assert.equal(status, 200);
  assert.ok(text.startsWith(`${LOG.origin}\n20\n`));
  assert.ok(isCosigned(LOG, 20, text.slice(LOG.checkpoint(20).length)));
  assert.equal((await node.get(`/witness/${hash('nobody')}/checkpoint`)).status, 404);
  assert.equal((await node.get('/witness/x/checkpoint')).status, 404);
});

test('1,000 at once, larger against smaller: one history, and after a larger head no smaller one', async () => {
  const { api } = node.federation.witness;
  const fork = RACED.fork(10).appendMany(50);
  let known = 0;
  let largest = 0;
  const made = new Map<string, string>();
  const bodyOf = (log: HonestPeer, size: number, old: number): string => {
    const key = `${log === fork} ${size} ${old}`;
    const text = made.get(key) ?? body(log, size, old);
    made.set(key, text);
    return text;
  };
  const signed: { readonly size: number; readonly log: HonestPeer }[] = [];
  const one = async (i: number): Promise<void> => {
    const log = i % 5 === 4 ? fork : RACED;
    const size = Math.min(60, 1 + Math.floor(i / 20) + ((i * 7) % 9));
    for (let tries = 0; tries < 6 && size >= known; tries++) {
      const outcome = await api.add(bodyOf(log, size, Math.min(known, size)));
      if (outcome.kind === 'stale') known = Math.max(known, outcome.size);
      if (outcome.kind !== 'cosigned') continue;
      // Answers come back in the order in which they were given.
      assert.ok(size >= largest, `${size} after ${largest}`);
      largest = size;
      signed.push({ size, log });
      return;
    }
  };
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => one(i)));
  assert.ok(signed.length > 2);
  const last = signed.at(-1)?.log;
  for (const { size, log } of signed) assert.deepEqual(log.root(size), last?.root(size));
});

test('whoever asks too often is told when to come back, and silences nobody else', async () => {
  const from = (address: string, text: string): Promise<Response> =>
    node.fetch(new Request(`http://node.invalid${PATH}`, { method: 'POST', body: text }), { address });
  // At once: what is asked one by one on a slow machine is refilled meanwhile.
  const drain = async (address: string, text: string): Promise<{ refusal: Response; passed: number }> => {
    for (let passed = 0; passed < 5_000; ) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => from(address, text)));
      passed += answers.filter(({ status }) => status !== 429).length;
      const refusal = answers.find(({ status }) => status === 429);
      if (refusal !== undefined) return { refusal, passed };
    }
    throw new Error('never refused');
  };
  const known = body(LOG, 20, 20);
  assert.equal((await from('192.0.2.1', known)).status, 200);
  const { refusal, passed: own } = await drain('192.0.2.1', 'old 1\n');
  assert.ok(Number(refusal.headers.get('retry-after')) >= 1);
  assert.equal((await from('192.0.2.1', known)).status, 200, 'a log that is known, behind the same proxy');
  assert.equal((await from('192.0.2.2', 'old 1\n')).status, 400, 'another caller');
  await drain('192.0.2.1', known);
  assert.equal((await from('192.0.2.2', known)).status, 200, 'the same log by another caller');
  await drain('2001:db8:1:2::1', 'old 1\n');
  const { passed } = await drain('2001:db8:1:2:3:4:5:6', 'old 1\n');
  assert.ok(passed < own / 2, `one network is one caller: ${passed} passed, and ${own} of the first`);
  assert.equal((await from('2001:db8:1:3::1', 'old 1\n')).status, 400);
  assert.equal((await from('::ffff:192.0.2.2', 'old 1\n')).status, 400);
});
