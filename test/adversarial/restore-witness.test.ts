/**
 * A node is put back from an older copy, and no peer can tell it: witnesses over HTTP and its own anchors can. What a witness
 * only says delays it and is shown, and stops it from nothing. Real nodes as processes.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dataPaths } from '../../src/config/data-dir.ts';
import { readSeedFile } from '../../src/config/secret-file.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { identityIn } from '../../src/node/identity.ts';
import { vkeyOf } from '../../src/node/own-keys.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { assertStaysHeld, copyOf, facts, guardCheck, putBack, writeFacts } from '../support/put-back.ts';

/** Longer than a node may take to start: who waited for it would be seen. */
const NO_WAIT = 'guard.wait_s=3600';
const NOBODY = { nodeId: 'stigmem://away.example', peerId: '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' };

test('a peer that cannot be reached, and a witness over HTTP: the node learns from it that it is behind', async (t) => {
  const bench = new Bench(t);
  const a = await bench.node('acme.example', [NO_WAIT, 'witness.policy_file=policy']);
  const witness = await bench.node('tower.example', [`witness.logs=${vkey('log', a)}`]);
  await witness.start();
  writePolicy(a, vkey('witness', witness), `${witness.url}/witness`);
  a.writePeer('away', { ...NOBODY, addresses: ['/ip4/127.0.0.1/tcp/9'], share: ['public'] });
  const cosigned = (size: number): Promise<true> =>
    bench.until(`the witness has cosigned ${size}`, async () =>
      (await monitored(witness, a)) === size ? true : undefined,
    );

  await a.start();
  await writeFacts(bench, a, 0, 20);
  await cosigned(20);
  const copy = await copyOf(bench, a);
  await a.start();
  assert.equal((await guardCheck(a)).ok, true, 'what the witness holds is what is here');
  await writeFacts(bench, a, 20, 10);
  await cosigned(30);
  await a.kill();
  putBack(a, copy);
  await a.start();

  await assertStaysHeld(bench, a, /10 of the 10 missing entries are held by no peer .*: leaf indexes 20–29\./);
  assert.equal(await monitored(witness, a), 30, 'it was shown nothing new');
});

test('the anchor file alone, on another volume: the node learns from it that it is behind', async (t) => {
  const bench = new Bench(t);
  const file = join(bench.root, 'anchors.jsonl');
  const a = await bench.node('acme.example', [NO_WAIT, `anchor.local_path=${file}`, 'anchor.max_age_s=1']);
  const anchored = (size: number): Promise<true> =>
    bench.until(`${size} entries are anchored`, () => (isAnchored(file, a, size) ? true : undefined));

  await a.start();
  await writeFacts(bench, a, 0, 3);
  await anchored(3);
  const copy = await copyOf(bench, a);
  await a.start();
  await writeFacts(bench, a, 3, 2);
  await anchored(5);
  await a.kill();
  putBack(a, copy);
  const lines = readFileSync(file, 'utf8');
  // Anybody who may write there can write more; what our key has not signed says nothing, however large.
  const forged = `${identityIn(a.dir).journalOrigin}\n999\n${'A'.repeat(43)}=\n\n— x AAAAAAAA\n`;
  writeFileSync(file, `${lines}${JSON.stringify({ note: forged })}\n`);
  await a.start();

  await assertStaysHeld(bench, a, /2 of the 2 missing entries are held by no peer .*: leaf indexes 3–4\./);
});

test('a witness that lies, hangs, talks nonsense or talks without end: the node waits as long as for anybody, and goes on', async (t) => {
  const bench = new Bench(t);
  const liar = await startLiar(t);
  const a = await bench.node('acme.example', ['guard.wait_s=2', 'witness.policy_file=policy']);
  const key = createLogSigner('liar.example/w', Buffer.alloc(32, 7));
  const named = { name: key.name, algorithm: ALG_COSIGNATURE_V1, publicKey: key.publicKey };
  writePolicy(a, formatVerifierKey(named), liar.url);
  await a.start();
  await writeFacts(bench, a, 0, 1);
  await bench.until('a checkpoint was signed', () => liar.submitted > 0 || undefined);
  for (const [i, way] of WAYS.entries()) {
    assert.equal(await a.stop(), 0);
    liar.answersAs(way);
    await a.start();
    const written = await a.post('/v1/facts', { facts: facts(a, 1 + i, 1) });
    assert.equal(written.status, 201, way);
    assert.ok(liar.asked > 0, `${way}: it was asked`);
    const { ok, detail } = await guardCheck(a);
    if (way !== 'size') {
      assert.equal(ok, true, `${way}: ${detail}`);
      continue;
    }
    assert.equal(ok, false);
    assert.match(detail, /^liar says that it has cosigned 1000 entries of this log, which are not here/);
    const { body } = await a.get('/readyz');
    assert.ok(
      body.notices.some((notice: string) => notice.includes('liar says')),
      JSON.stringify(body.notices),
    );
  }
});

test('a witness that says at submission alone how much it has cosigned is heard too, and stops nobody', async (t) => {
  const bench = new Bench(t);
  const liar = await startLiar(t);
  const a = await bench.node('acme.example', ['guard.wait_s=2', 'witness.policy_file=policy']);
  const key = createLogSigner('liar.example/w', Buffer.alloc(32, 7));
  writePolicy(
    a,
    formatVerifierKey({ name: key.name, algorithm: ALG_COSIGNATURE_V1, publicKey: key.publicKey }),
    liar.url,
  );
  liar.answersAs('nonsense');
  await a.start();
  liar.answersAs('size');
  await writeFacts(bench, a, 0, 1);
  await bench.until('the check fails', async () => ((await guardCheck(a)).ok ? undefined : true));
  assert.equal((await a.post('/v1/facts', { facts: facts(a, 1, 1) })).status, 201);
});

const WAYS = ['size', 'hang', 'nonsense', 'endless'] as const;
type Way = (typeof WAYS)[number];

interface Liar {
  readonly url: string;
  readonly asked: number;
  /** Checkpoints that it was given. */
  readonly submitted: number;
  answersAs(way: Way): void;
}

/** A witness that keeps to no protocol, but for the size it names. */
async function startLiar(t: TestContext): Promise<Liar> {
  let way: Way = 'nonsense';
  let asked = 0;
  let submitted = 0;
  const server = createServer((request, response) => {
    asked++;
    if (request.method === 'POST') submitted++;
    request.resume();
    answer(way, request.method === 'GET', response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get asked() {
      return asked;
    },
    get submitted() {
      return submitted;
    },
    answersAs(next) {
      way = next;
      asked = 0;
    },
  };
}

function answer(way: Way, isMonitoring: boolean, response: ServerResponse): void {
  if (way === 'hang') return;
  if (way === 'nonsense') response.writeHead(200).end('acme.example is fine\n');
  else if (way === 'endless') response.writeHead(200).end(Buffer.alloc(10_485_760, 0x61));
  else if (isMonitoring) response.writeHead(404).end();
  else response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('1000\n');
}

function writePolicy(node: NodeProcess, witnessKey: string, url: string): void {
  const name = witnessKey.startsWith('liar') ? 'liar' : 'tower';
  writeFileSync(join(node.dir, 'policy'), `witness ${name} ${witnessKey} ${url}\nquorum ${name}\n`);
}

/** Size of the checkpoint that the witness shows of a node's log; 0: none. */
async function monitored(witness: NodeProcess, { dir }: NodeProcess): Promise<number> {
  const path = `/witness/${hash('sha256', identityIn(dir).journalOrigin)}/checkpoint`;
  const response = await fetch(`${witness.url}${path}`);
  const text = await response.text();
  return response.status === 200 ? Number(text.split('\n')[1]) : 0;
}

function isAnchored(file: string, { dir }: NodeProcess, size: number): boolean {
  const { journalOrigin } = identityIn(dir);
  return existsSync(file) && readFileSync(file, 'utf8').includes(`${journalOrigin}\\n${size}\\n`);
}

function vkey(use: 'log' | 'witness', { dir }: NodeProcess): string {
  const paths = dataPaths(dir);
  const seed = readSeedFile(use === 'log' ? paths.logKey : paths.witnessKey, use);
  if (!seed.ok) throw new Error(seed.error.message);
  return vkeyOf(use, seed.value, identityIn(dir));
}
