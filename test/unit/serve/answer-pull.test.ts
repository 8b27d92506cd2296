import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import type { FeedGrant } from '../../../src/core/disclosure.ts';
import type { Disclosure } from '../../../src/journal/disclosure-records.ts';
import { answerClosure } from '../../../src/serve/answer-closure.ts';
import { answerPull } from '../../../src/serve/answer-pull.ts';
import type { PageRequest } from '../../../src/serve/build-page.ts';
import type { ServeDeps } from '../../../src/serve/deps.ts';
import { encodeClosureRequest } from '../../../src/wire/closure.ts';
import { encodePullRequest } from '../../../src/wire/pull-request.ts';

const NOW_MS = 1_800_000_000_000;
const B = 'stigmem://b.example';
const grant = (feed: string, notAfterMs: number | null = null): FeedGrant => ({ feed, notBeforeMs: null, notAfterMs });

/** A server whose feeds `public` and `company/secret` have 10 entries, given in pages of 4. */
function server(share: readonly FeedGrant[], disclose: ServeDeps['disclose'] = async () => {}) {
  const asked: string[] = [];
  const deps = {
    peerOf: () => ({ nodeId: B, share, allowTeam: false, disabled: false }) as unknown as PeerFile,
    rules: { gardens: new Map(), permits: new Map(), confirmed: new Set() },
    served: async () => ({ size: 40, note: 'note' }),
    disclose,
    giveClosures: async (_: string, ended: readonly { readonly feed: string }[]) => {
      asked.push(`closures of ${ended.map(({ feed }) => feed)}`);
      return [];
    },
    reader: {
      page: async ({ feed, after }: PageRequest) => {
        asked.push(feed);
        if (feed !== 'public' && feed !== 'company/secret') return undefined;
        const bytes = new Uint8Array([1]);
        const frames = { header: bytes, entries: bytes, proof: bytes, note: bytes };
        return { frames, to: Math.min(10, after + 4), feedLength: 10 };
      },
    },
    nowMs: () => NOW_MS,
  } as unknown as ServeDeps & Parameters<typeof answerClosure>[2];
  const pull = (feeds: readonly string[], pages = 64): AsyncGenerator<Uint8Array> =>
    answerPull(
      encodePullRequest({
        accept: [],
        feeds: feeds.map((feed) => ({ after: 0, feed })),
        known_size: 0,
        page_bytes: 1_000,
        page_entries: 4,
        pages,
      }),
      'peer',
      deps,
    );
  return { deps, asked, pull };
}

async function framesOf(answer: AsyncIterable<Uint8Array>): Promise<string[]> {
  const frames: string[] = [];
  for await (const frame of answer) frames.push(Buffer.from(frame).toString('hex'));
  return frames;
}

test('a run is in the ledger before a byte of its page leaves', async () => {
  const recorded: Disclosure[] = [];
  const { pull } = server([grant('public', NOW_MS + 1)], async (disclosure) => {
    recorded.push(disclosure);
  });
  let frames = 0;
  for await (const _ of pull(['public'])) {
    const pages = Math.floor(frames++ / 4);
    // The last frame is the end of the answer.
    assert.equal(recorded.length, Math.min(3, pages + 1));
  }
  assert.deepEqual(
    recorded.map(({ peer, feed, after, to, treeSize }) => [peer, feed, after, to, treeSize]),
    [
      [B, 'public', 0, 4, 40],
      [B, 'public', 4, 8, 40],
      [B, 'public', 8, 10, 40],
    ],
  );
  assert.match(
    recorded[0]?.grant ?? '',
    /^\{"feed":"public","not_after":"2027-01-15T08:00:00\.001Z",.*"peer":"stigmem:\/\/b\.example","v":1\}$/,
  );
});

test('a grant that ends in the middle of an answer ends the feed there; so does a file that goes', async () => {
  for (const end of ['time', 'file'] as const) {
    const { pull, deps } = server([grant('public', NOW_MS + 1)]);
    let pages = 0;
    const { peerOf } = deps;
    const ends = {
      time: { nowMs: () => NOW_MS + (pages > 0 ? 1 : 0) },
      file: { peerOf: (peerId: string) => (pages > 1 ? undefined : peerOf(peerId)) },
    };
    const disclose = async (): Promise<void> => {
      pages++;
    };
    Object.assign(deps, ends[end], { disclose });
    const frames = await framesOf(pull(['public']));
    assert.equal(frames.length, 4 * pages + 1, `${end}: whole pages, then the end`);
    assert.equal(pages, end === 'time' ? 1 : 2, end);
  }
});

test('what cannot be recorded is not sent', async () => {
  const { pull } = server([grant('public')], async () => {
    throw Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' });
  });
  const frames: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const frame of pull(['public'])) frames.push(frame);
  }, /disk full/);
  assert.deepEqual(frames, []);
});

test('a feed that is not granted, one that does not exist, one that is over: the same frames after the same look-ups', async () => {
  const seen = new Set<string>();
  for (const [share, feed] of [
    [[], 'company/secret'],
    [[], 'company/absent'],
    [[grant('company/absent')], 'company/absent'],
    [[grant('company/secret', NOW_MS)], 'company/secret'],
    [[grant('public')], 'company/secret'],
    [[grant('team')], 'team'],
  ] as const) {
    const { pull, asked } = server(share);
    const frames = await framesOf(pull([feed]));
    seen.add(JSON.stringify([frames, asked.length]));
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
});

test('has_more does not tell of feeds behind the last one that is granted', async () => {
  const { pull } = server([grant('public')]);
  const [shut, absent] = await Promise.all([
    framesOf(pull(['public', 'company/secret'], 3)),
    framesOf(pull(['public', 'company/absent'], 3)),
  ]);
  assert.deepEqual(shut, absent);
});

test('closures are looked up for ended grants alone', async () => {
  const closures = async (share: readonly FeedGrant[], feeds: readonly string[]) => {
    const { deps, asked } = server(share);
    const frames = await framesOf(answerClosure(encodeClosureRequest({ feeds }), 'peer', deps));
    return { frames, asked };
  };
  const none = await closures(
    [grant('public'), grant('company', NOW_MS + 1)],
    ['public', 'company', 'company/secret', 'x'],
  );
  assert.deepEqual(none.asked, []);
  assert.deepEqual(
    none.frames.map((hex) => Buffer.from(hex, 'hex').toString()),
    ['{"closures":[],"v":1}'],
  );
  const over = await closures([grant('company/secret', NOW_MS)], ['company/secret', 'company/absent']);
  assert.deepEqual(over.asked, ['closures of company/secret']);
});
