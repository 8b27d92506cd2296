/** What witnesses say without proof, and how long it is remembered; what the file of anchors counts for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { OwnHeadVerdict } from '../../../src/journal/guard.ts';
import { type OutsideDeps, OutsideHeads } from '../../../src/node/outside-heads.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import type { NewestCheckpoint } from '../../../src/worm/newest.ts';

const ORIGIN = 'acme.example/journal/00000000000000aa';
const noteOf = (size: number): string => `${ORIGIN}\n${size}\n${'A'.repeat(43)}=\n\n— ${ORIGIN} AAAAAAAA\n`;
const folder = mkdtempSync(join(tmpdir(), 'peerd-outside-'));
after(() => rmSync(folder, { recursive: true }));

/** A witness that answers with what it is told; the node holds 20 entries. */
const says = { checkpoint: null as string | null, size: 0 };
const here = { size: 20, signedSize: 20 };
const server = createServer((request, response) => {
  request.resume();
  if (request.method === 'GET' && says.checkpoint !== null) response.writeHead(200).end(says.checkpoint);
  else if (request.method === 'GET') response.writeHead(404).end();
  else response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${says.size}\n`);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());

function outsideOf(
  anchorFile: string | null,
  witnesses = true,
  shippedHead: OutsideDeps['shippedHead'] = async () => null,
): OutsideHeads {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new OutsideHeads({
    http: createHttpClient([]),
    journal: {
      signedNote: async () => noteOf(20),
      guardView: async () => here,
    },
    origin: ORIGIN,
    witnesses: witnesses ? [{ keyName: 'tower.example/w', name: 'tower', url }] : [],
    shippedHead,
    anchorFile,
    logger: { warn: () => {} },
  });
}

async function ask(outside: OutsideHeads, kind: OwnHeadVerdict['kind'] = 'known'): Promise<readonly string[]> {
  const compared: string[] = [];
  await outside.ask(async (note) => {
    compared.push(note);
    return { kind, size: 0, auditSeq: 0 };
  }, new AbortController().signal);
  return compared;
}

test('a size above ours is a claim until that witness says less, has cosigned, or the entries were given back', async () => {
  const outside = outsideOf(null);
  Object.assign(says, { checkpoint: null, size: 30 });
  await ask(outside);
  assert.equal(outside.claimed, 30);
  assert.match(outside.warning ?? '', /^tower says that it has cosigned 30 entries/);
  assert.equal(outside.claim('tower.example/w', 'tower', 30), false, 'no news');
  outside.restored(29);
  assert.equal(outside.claimed, 30);
  outside.restored(30);
  assert.equal(outside.claimed, 0);

  assert.equal(outside.claim('tower.example/w', 'tower', 31), true);
  assert.equal(outside.settle('tower.example/w'), true);
  assert.equal(outside.settle('tower.example/w'), false);
  await ask(outside);
  says.size = 20;
  await ask(outside);
  assert.equal(outside.warning, null);
  assert.equal(outside.isShown, false, 'a size shows nothing');
});

test('entries that were written since do not answer a witness that stands by its word', async (t) => {
  t.after(() => Object.assign(here, { size: 20, signedSize: 20 }));
  const outside = outsideOf(null);
  Object.assign(says, { checkpoint: null, size: 30 });
  await ask(outside);
  Object.assign(here, { size: 35, signedSize: 35 });
  await ask(outside);
  assert.equal(outside.claimed, 30);
});

test('a checkpoint is compared, and one that no known key has signed is a size like any other', async () => {
  const outside = outsideOf(null);
  Object.assign(says, { checkpoint: noteOf(40), size: 0 });
  assert.deepEqual(await ask(outside, 'foreign'), [noteOf(40)]);
  assert.equal(outside.claimed, 40);
  assert.equal(outside.isShown, false);
  await ask(outside, 'ahead');
  assert.equal(outside.claimed, 0, 'it has proved it');
  assert.equal(outside.isShown, true);
});

test('of the anchor file the largest note of ours counts, whatever stands around it, and it vouches for nothing', async () => {
  const file = join(folder, 'anchors.jsonl');
  const audit = noteOf(99).replaceAll('/journal/', '/audit/');
  const lines = [5, 30, 7].map((size) => JSON.stringify({ note: noteOf(size) }));
  writeFileSync(file, `cut off"}\n${lines.join('\n')}\n${JSON.stringify({ note: audit })}\n{"note":`);
  const outside = outsideOf(file, false);
  assert.deepEqual(await ask(outside), [noteOf(30)]);
  assert.equal(outside.isShown, false);
  assert.deepEqual(await ask(outside, 'foreign'), [noteOf(30), noteOf(7), noteOf(5)], 'forged ones are passed over');
  assert.deepEqual(await ask(outsideOf(join(folder, 'none'), false)), []);
  assert.deepEqual(await ask(outsideOf(folder, false)), [], 'what cannot be read stops nobody');
});

test('what stands in the store of records and cannot be opened is a claim of any size until it can', async () => {
  const detail = 'store/manifest/000000000002.note is gone, or is not signed by a key of this log that is known here';
  let newest: NewestCheckpoint = { kind: 'unreadable', notes: [noteOf(12)], detail };
  const outside = outsideOf(null, false, async () => ({ newest, shownBy: 'store' }));
  assert.deepEqual(await ask(outside), [noteOf(12)], 'what is below it is compared all the same');
  assert.equal(outside.claimed, Number.POSITIVE_INFINITY);
  assert.ok(outside.warning?.startsWith(`${detail}: this node may have signed more than is here`));
  outside.restored(99);
  assert.equal(outside.claimed, Number.POSITIVE_INFINITY);
  newest = { kind: 'head', notes: [noteOf(20)] };
  assert.deepEqual(await ask(outside), [noteOf(20)]);
  assert.deepEqual([outside.claimed, outside.warning], [0, null]);
  newest = { kind: 'none' };
  assert.deepEqual(await ask(outside), []);
});
