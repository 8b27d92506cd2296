import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PullError } from '../../../src/pull/errors.ts';
import { readPages } from '../../../src/pull/read-pages.ts';
import { encodePullEnd } from '../../../src/wire/pull-end.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const { header, note } = new HonestPeer().page({ feed: 'public', after: 0 });
const empty = [header, note ?? Buffer.alloc(0)];

/** What the pages of an answer end with. */
async function read(headers: number, maxPages: number, end: Uint8Array[]): Promise<unknown> {
  const frames = (function* () {
    for (let i = 0; i < headers; i++) yield* empty;
    yield* end;
  })();
  let last: unknown;
  for await (const answer of readPages(toAsync(frames), maxPages)) last = answer;
  return last;
}

async function* toAsync(frames: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* frames;
}

const END = [encodePullEnd({ end: true, has_more: true })];

test('as many pages as asked for, and the end', async () => {
  assert.deepEqual(await read(3, 3, END), { kind: 'end', hasMore: true });
});

test('one page more than asked for', async () => {
  await assert.rejects(read(4, 3, END), (error) => error instanceof PullError && error.code === 'too_many_pages');
});

test('an answer without an end', async () => {
  await assert.rejects(read(3, 3, []), (error) => error instanceof PullError && error.code === 'incomplete');
});
