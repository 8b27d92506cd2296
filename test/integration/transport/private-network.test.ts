import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { xsalsa20 } from '@noble/ciphers/salsa.js';
import { readSwarmKey } from '../../../src/config/swarm-key.ts';
import type { Refusal } from '../../../src/transport/gate.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { collect, entry, LIMITS, PROTOCOL, SERVE_LIMITS, start, startTwo, text, until } from './harness.ts';

const KEY = Buffer.alloc(32, 7);
const NONCE_BYTES = 24;

function portOf(transport: Transport): number {
  return Number(/\/tcp\/(\d+)/.exec(transport.addresses()[0] ?? '')?.[1]);
}

/** All that a node sends to who says `bytes`, until it ends the connection. */
async function transcript(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Cut off in the middle of what it says, it may see a reset.
  socket.on('error', () => {});
  await new Promise((closed) => socket.once('close', closed));
  return Buffer.concat(chunks);
}

test('with the same key nodes speak as ever, with large answers too', async (t) => {
  const { server, client } = await startTwo(t, { swarmKey: KEY }, { swarmKey: KEY });
  const large = randomBytes(3_000_000);
  await server.serve(PROTOCOL, {
    maxInboundStreams: 1,
    limits: SERVE_LIMITS,
    handler: async function* (request) {
      yield Buffer.from(`heard ${text(request)}`);
      yield large;
    },
  });
  const [first, second] = await collect(client.request(server.peerId, PROTOCOL, Buffer.from('you'), LIMITS));
  assert.equal(text(first ?? Buffer.alloc(0)), 'heard you');
  assert.ok(second !== undefined && large.equals(second));
});

for (const [who, swarmKey] of [
  ['no key', null],
  ['another key', Buffer.alloc(32, 8)],
] as const)
  test(`a partner with ${who} meets what a stranger meets, in both directions`, async (t) => {
    const refusals: Refusal[] = [];
    const limits = { upgradeTimeoutMs: 400, dialTimeoutMs: 2_000 };
    const inside = { swarmKey: KEY, limits, onRefused: (refusal: Refusal) => refusals.push(refusal) };
    const { server, client } = await startTwo(t, inside, { swarmKey, limits });
    await assert.rejects(client.dial(server.peerId), { name: 'TransportError' });
    const back = await start(t, 'other', [entry(client)], { swarmKey: KEY, listen: [], limits });
    await assert.rejects(back.dial(client.peerId), { name: 'TransportError' });
    assert.ok(!server.connected(client.peerId) && !client.connected(server.peerId));
    assert.deepEqual(refusals, [], 'nobody proved a key');
  });

test('a stranger sees a nonce and the end, whatever it says', async (t) => {
  const { server } = await startTwo(t, { swarmKey: KEY, limits: { upgradeTimeoutMs: 300 } });
  const hello = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n');
  for (const said of [
    Buffer.alloc(0),
    randomBytes(10),
    randomBytes(NONCE_BYTES),
    randomBytes(2_000),
    hello,
    Buffer.concat([randomBytes(NONCE_BYTES), hello]),
  ])
    assert.ok((await transcript(portOf(server), said)).length <= NONCE_BYTES, said.toString('hex').slice(0, 60));
});

test('on the wire it is XSalsa20 under the key, each way with the nonce of its sender, as in other implementations', async (t) => {
  const { server } = await startTwo(t, { swarmKey: KEY });
  const nonce = randomBytes(NONCE_BYTES);
  const hello = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n');
  const socket = connect(portOf(server), '127.0.0.1', () => {
    socket.write(Buffer.concat([nonce, xsalsa20(KEY, nonce, hello)]));
  });
  let heard = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  await until('it answers', () => heard.length >= NONCE_BYTES + hello.length);
  socket.destroy();
  const answer = xsalsa20(KEY, heard.subarray(0, NONCE_BYTES), heard.subarray(NONCE_BYTES));
  assert.equal(Buffer.from(answer).toString(), hello.toString());
});

function keyFile(t: TestContext): (content: string, mode?: number) => string {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-swarm-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return (content, mode = 0o600) => {
    const path = join(folder, `${randomBytes(4).toString('hex')}.key`);
    writeFileSync(path, content, { mode });
    return path;
  };
}

test('the key file is the one that libp2p nodes share', (t) => {
  const write = keyFile(t);
  const hex = KEY.toString('hex');
  for (const content of [
    `/key/swarm/psk/1.0.0/\n/base16/\n${hex}\n`,
    `/key/swarm/psk/1.0.0/\n/base16/\n${hex}`,
    `/key/swarm/psk/1.0.0/\r\n/base16/\r\n${hex.toUpperCase()}\r\n`,
    `/key/swarm/psk/1.0.0/\n/base64/\n${KEY.toString('base64')}\n`,
  ]) {
    const read = readSwarmKey(write(content));
    assert.ok(read.ok, content);
    assert.ok(KEY.equals(read.value));
  }
  for (const content of [
    '',
    hex,
    `/key/swarm/psk/1.0.0/\n/base16/\n${hex.slice(2)}\n`,
    `/key/swarm/psk/2.0.0/\n/base16/\n${hex}\n`,
    `/key/swarm/psk/1.0.0/\n/bin/\n${hex}\n`,
    `/key/swarm/psk/1.0.0/\n/base16/\n${hex}\nmore\n`,
  ]) {
    const read = readSwarmKey(write(content));
    assert.ok(!read.ok, content);
    assert.ok(!JSON.stringify(read.error).includes(hex.slice(2)));
    assert.match(read.error.fix, /openssl rand -hex 32/);
  }
  const open = readSwarmKey(write(`/key/swarm/psk/1.0.0/\n/base16/\n${hex}\n`, 0o644));
  assert.ok(!open.ok && /0600/.test(open.error.message));
});
