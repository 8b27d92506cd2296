/**
 * What an outsider can tell of a node: nothing that depends on feeds, members or facts. Two nodes that have nothing in common
 * but the length of their names are asked the same; every byte on the wire is compared, by value where it is in the clear
 * and by number where it is encrypted.
 */
import assert from 'node:assert/strict';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { createTransport } from '../../src/transport/node.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { encodeClosureRequest } from '../../src/wire/closure.ts';
import { decodeHello, encodeHello } from '../../src/wire/hello.ts';
import { encodeProofRequest } from '../../src/wire/proof.ts';
import {
  CLOSURE_PROTOCOL,
  HELLO_PROTOCOL,
  NOTICE_PROTOCOL,
  PROOF_PROTOCOL,
  PULL_PROTOCOL,
  RECEIPT_PROTOCOL,
  RECOVER_PROTOCOL,
  WATCH_PROTOCOL,
  WITNESS_PROTOCOL,
} from '../../src/wire/protocols.ts';
import { encodePullRequest } from '../../src/wire/pull-request.ts';
import { encodeReceiptRequest } from '../../src/wire/receipt.ts';
import { encodeRecoverRequest } from '../../src/wire/recover.ts';
import { encodeNoticeRequest } from '../../src/wire/refusal-notice.ts';
import { encodeWatchRequest } from '../../src/wire/watch.ts';
import { encodeWitnessRequest } from '../../src/wire/witness.ts';
import { NAMED_KEY } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const GARDENS = { gardens: 'merger,secret', garden_members: 'merger stigmem://m.example' };
const LIMITS = { idleMs: 10_000, totalMs: 20_000, maxFrameBytes: 4_194_304 };
/** `company/merger` is full of facts at one node; the others are as long and exist nowhere. */
const FULL = 'company/merger';
const FEEDS = [FULL, 'company/nobody', 'company/absent'];

/** An empty node without partners, and one with facts, gardens, members and partners. */
let empty: MeshNode;
let full: MeshNode;
before(async () => {
  empty = await (await MeshNode.create('x.example')).start();
  full = await (await MeshNode.create('y.example')).start(GARDENS);
  await Promise.all(['public', 'company', 'team', 'local'].map((scope) => fill(full, scope, null)));
  await fill(full, 'company', 'merger');
  const { peerId } = empty.folder;
  full.writePeer('m', {
    nodeId: 'stigmem://m.example',
    peerId,
    addresses: [],
    share: ['public', FULL],
    logKey: NAMED_KEY,
  });
});
after(() => Promise.all([empty, full].map((node) => node.stop())));

async function fill(node: MeshNode, scope: string, garden: string | null): Promise<void> {
  const requests = Array.from({ length: 40 }, (_, i) => ({
    entity: `${node.nodeId}/thing/${scope}-${garden}-${i}`,
    relation: 'test:state',
    source: `${node.nodeId}/agent/x`,
    value: `value ${i}`,
    value_type: 'text' as const,
    scope,
    confidence: 1,
    valid_until: null,
    garden_id: garden,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  }));
  const outcomes = await node.base.writer.assert(requests, { mayWriteInstructions: false });
  assert.ok(outcomes.every(({ kind }) => kind === 'stored'));
}

interface Recorded {
  /** What each side sent, in order. */
  readonly fromDialler: Buffer[];
  readonly fromNode: Buffer[];
  isClosed: boolean;
}

/** Passes bytes on to a node, and keeps them. */
async function tap(t: TestContext, node: MeshNode): Promise<{ readonly address: string; readonly seen: Recorded[] }> {
  const port = Number(/\/tcp\/(\d+)/.exec(node.federation.addresses()[0] ?? '')?.[1]);
  const seen: Recorded[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((dialler) => {
    const recorded: Recorded = { fromDialler: [], fromNode: [], isClosed: false };
    seen.push(recorded);
    const onward = createConnection({ host: '127.0.0.1', port });
    sockets.add(dialler).add(onward);
    dialler.on('data', (bytes) => recorded.fromDialler.push(bytes));
    onward.on('data', (bytes) => recorded.fromNode.push(bytes));
    onward.on('close', () => {
      recorded.isClosed = true;
    });
    dialler.on('error', () => {}).pipe(onward);
    onward.on('error', () => {}).pipe(dialler);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const listening = server.address();
  assert.ok(typeof listening === 'object' && listening !== null);
  return { address: `/ip4/127.0.0.1/tcp/${listening.port}`, seen };
}

/** A libp2p node of its own key that knows where a node is. */
async function outsider(t: TestContext, seed: number, node: MeshNode, address: string): Promise<Transport> {
  const allowed = [{ peerId: node.folder.peerId, addresses: [address] }];
  const seedBytes = new Uint8Array(32).fill(seed);
  const transport = await createTransport({ seed: seedBytes, listen: [], allowed: () => allowed });
  t.after(() => transport.stop({ graceMs: 0 }));
  return transport;
}

/** Everything of one stranger's connection that does not come out of a random generator. */
async function strangerTranscript(t: TestContext, node: MeshNode, seed: number): Promise<object> {
  const { address, seen } = await tap(t, node);
  const stranger = await outsider(t, seed, node, address);
  await stranger.dial(node.folder.peerId).catch(() => {});
  await until('the node has hung up', () => seen.length > 0 && seen.every(({ isClosed }) => isClosed));
  const [connection, ...more] = seen;
  assert.ok(connection !== undefined);
  assert.deepEqual(more, [], 'one connection');
  const sent = Buffer.concat(connection.fromNode);
  // multistream-select in the clear, then the one handshake message of the responder, length first.
  const clear = sent.indexOf(Buffer.from('/noise\n')) + '/noise\n'.length;
  const message = sent.readUInt16BE(clear);
  return {
    clear: sent.subarray(0, clear).toString('latin1'),
    handshakeBytes: message,
    bytesBehindIt: sent.length - clear - 2 - message,
  };
}

test('a stranger sees a handshake and the end of the connection, whatever the node holds', async (t) => {
  const transcripts = [
    await strangerTranscript(t, empty, 31),
    await strangerTranscript(t, full, 31),
    await strangerTranscript(t, full, 32),
  ];
  t.diagnostic(JSON.stringify(transcripts[0]));
  assert.deepEqual(transcripts[1], transcripts[0]);
  assert.deepEqual(transcripts[2], transcripts[0]);
});

/** Everything that a peer can ask about feeds and the journal, by name. */
function questions(feed: string): readonly (readonly [name: string, protocol: string, request: Uint8Array])[] {
  const pull = { accept: ['zstd'] as const, page_bytes: 524_288, page_entries: 1_000, pages: 64 };
  const salt = Buffer.alloc(32, 2).toString('base64');
  const log = Buffer.alloc(32, 1).toString('base64');
  return [
    ['pull', PULL_PROTOCOL, encodePullRequest({ ...pull, feeds: [{ feed, after: 0 }], known_size: 0 })],
    ['pull on', PULL_PROTOCOL, encodePullRequest({ ...pull, feeds: [{ feed, after: 7 }], known_size: 200 })],
    ['watch', WATCH_PROTOCOL, encodeWatchRequest({ feeds: [feed] })],
    ['inclusion', PROOF_PROTOCOL, encodeProofRequest({ indexes: [0], kind: 'inclusion', size: 1, v: 1 })],
    ['consistency', PROOF_PROTOCOL, encodeProofRequest({ from: 1, kind: 'consistency', to: 2, v: 1 })],
    ['tile', PROOF_PROTOCOL, encodeProofRequest({ index: 0, kind: 'tile', level: 0, v: 1, width: 1 })],
    ['closure', CLOSURE_PROTOCOL, encodeClosureRequest({ feeds: [feed] })],
    ['head', RECOVER_PROTOCOL, encodeRecoverRequest({ kind: 'head', v: 1 })],
    ['entries', RECOVER_PROTOCOL, encodeRecoverRequest({ from: 0, kind: 'entries', skip: 0, v: 1 })],
    ['receipt', RECEIPT_PROTOCOL, encodeReceiptRequest({ receipts: [`a receipt of ${feed}`] })],
    ['notice', NOTICE_PROTOCOL, encodeNoticeRequest({ notices: [`a notice about ${feed}`] })],
    ['heads', WITNESS_PROTOCOL, encodeWitnessRequest({ heads: [], kind: 'heads', logs: [log], salt, v: 1 })],
    ['pull nonsense', PULL_PROTOCOL, Buffer.from(`{"feed":"${feed}"}`)],
  ];
}

/** The frames of every answer, in hex; of a watch the first. */
async function answers(peer: Transport, node: MeshNode, feed: string): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const [name, protocol, request] of questions(feed)) {
    const frames: string[] = [];
    const signal = AbortSignal.timeout(LIMITS.totalMs);
    for await (const frame of peer.request(node.folder.peerId, protocol, request, { ...LIMITS, signal })) {
      frames.push(Buffer.from(frame).toString('hex'));
      if (name === 'watch') break;
    }
    found[name] = frames;
  }
  return found;
}

async function helloOf(peer: Transport, node: MeshNode): Promise<object> {
  const hello = { clock_ms: 0, declaration: 'none', heads: [], protocols: [], successions: [], software: 'test' };
  const signal = AbortSignal.timeout(LIMITS.totalMs);
  const told: object[] = [];
  for await (const frame of peer.request(node.folder.peerId, HELLO_PROTOCOL, encodeHello(hello), {
    ...LIMITS,
    signal,
  })) {
    const decoded = decodeHello(frame);
    assert.ok(decoded.ok);
    const { declaration, clock_ms: _, ...rest } = decoded.value;
    told.push({ ...rest, declarationBytes: declaration.length, bytes: frame.length });
  }
  return told;
}

/** Lets a new key in at both nodes, with these grants. */
async function letIn(
  t: TestContext,
  seed: number,
  share: readonly string[],
  logKey: string | null = NAMED_KEY,
): Promise<Transport[]> {
  const peers: Transport[] = [];
  for (const node of [empty, full]) {
    const address = node.federation.addresses()[0] ?? '';
    const peer = await outsider(t, seed, node, address);
    const name = `p${seed}`;
    const { peerId } = peer;
    const line = { nodeId: `stigmem://${name}.example`, peerId, addresses: [], share };
    node.writePeer(name, logKey === null ? line : { ...line, logKey });
    await until('the peer is let in', () => node.federation.files().has(name));
    peers.push(peer);
  }
  return peers;
}

test('a peer that is granted nothing gets the same bytes from both nodes, about every feed', async (t) => {
  const [toEmpty, toFull] = await letIn(t, 41, []);
  assert.ok(toEmpty !== undefined && toFull !== undefined);
  const expected = await answers(toEmpty, empty, FULL);
  assert.equal(Buffer.from(expected['watch']?.[0] ?? '', 'hex').toString(), '{"feeds":[],"size":0,"v":1}');
  for (const feed of FEEDS) {
    assert.deepEqual(await answers(toEmpty, empty, feed), expected, `${feed} at the empty node`);
    assert.deepEqual(await answers(toFull, full, feed), expected, `${feed} at the full node`);
  }
  assert.deepEqual(await helloOf(toFull, full), await helloOf(toEmpty, empty));
});

test('grants that are over, to come, for others or of a garden without it are as no grant', async (t) => {
  const [toEmpty] = await letIn(t, 42, []);
  const [, toFull] = await letIn(t, 43, [
    FULL,
    '{ feed = "company", not_after = 2026-01-01T00:00:00Z }',
    '{ feed = "public", not_before = 2126-01-01T00:00:00Z }',
  ]);
  assert.ok(toEmpty !== undefined && toFull !== undefined);
  for (const feed of [FULL, 'company', 'public', 'team', 'local'])
    assert.deepEqual(await answers(toFull, full, feed), await answers(toEmpty, empty, feed), feed);
});

test('a peer whose log key nobody has confirmed learns nothing, whatever its file grants', async (t) => {
  const [toEmpty, toFull] = await letIn(t, 45, ['public', 'company', FULL], null);
  assert.ok(toEmpty !== undefined && toFull !== undefined);
  const { heads, ...expected } = await answers(toEmpty, empty, FULL);
  assert.deepEqual(heads, [], 'no heads of logs');
  for (const feed of FEEDS)
    assert.deepEqual(await answers(toFull, full, feed), { ...expected, heads }, `${feed} at the full node`);
  const [ungranted] = await letIn(t, 46, []);
  assert.ok(ungranted !== undefined);
  const { heads: _, ...asked } = await answers(ungranted, empty, 'public');
  assert.deepEqual(expected, asked, 'as one that is granted nothing');
});

test('a peer that may read one feed gets the same about the others, there or not', async (t) => {
  const [, toFull] = await letIn(t, 44, ['public']);
  assert.ok(toFull !== undefined);
  const expected = await answers(toFull, full, 'company/absent');
  for (const feed of FEEDS) assert.deepEqual(await answers(toFull, full, feed), expected, feed);
  const shown = await answers(toFull, full, 'public');
  assert.notDeepEqual(shown['pull'], expected['pull'], 'and the test can see a difference');
});
