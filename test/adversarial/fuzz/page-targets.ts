/** Pages: their frames taken apart and judged; evidence of what is refused has to be JSON. */
import type { PageContext } from '../../../src/verify/context.ts';
import { decodePage, type PageFrames } from '../../../src/wire/page.ts';
import type { PageEncoding } from '../../../src/wire/page-header.ts';
import { judge } from '../../support/judging.ts';
import { fuzzPeer } from './pure-targets.ts';
import { expect, type Target } from './target.ts';

const peer = fuzzPeer();
const LENGTH_BYTES = 4;
/** Stands in the place of a length for a frame that is absent. */
const ABSENT = 0xffffffff;

/** A page's frames in one piece, so that a mutation can hit any of them, and their lengths. */
function pack({ header, entries, proof }: PageFrames): Buffer {
  return Buffer.concat(
    [header, entries, proof].flatMap((frame) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(frame?.length ?? ABSENT);
      return [length, frame ?? Buffer.alloc(0)];
    }),
  );
}

/** Lengths that are no longer right are cut to what there is. */
function unpack(input: Buffer): PageFrames {
  let at = 0;
  const frame = (): Buffer | null => {
    if (at + LENGTH_BYTES > input.length) return null;
    const length = input.readUInt32BE(at);
    at += LENGTH_BYTES;
    if (length === ABSENT) return null;
    const bytes = input.subarray(at, at + length);
    at += bytes.length;
    return bytes;
  };
  return { header: frame() ?? Buffer.alloc(0), entries: frame(), proof: frame() };
}

/** Every member of a page is hashed or signed: what differs from the honest page in any byte is not taken as it was. */
function check(verdict: ReturnType<typeof judge>): void {
  if (verdict.kind === 'refused') JSON.parse(verdict.evidence.text());
  if (verdict.kind !== 'verified') return;
  for (const one of verdict.batch.refused) JSON.parse(one.evidence.text());
}

function pageTarget(encoding: PageEncoding): Target {
  const feeds = ['public', 'company', 'company/incident-42'];
  const honest = feeds.map((feed) => peer.page({ feed, after: 0, encoding }));
  const later = peer.page({ feed: 'public', after: 2, count: 3, knownSize: null, encoding });
  const empty = peer.page({ feed: 'public', after: peer.feedLength('public'), encoding });
  const wrong = new Set([...honest, later, empty].map((frames) => pack(frames).toString('latin1')));
  const contexts = feeds.map((feed) => peer.context({ feed, accept: feeds }));
  return {
    name: `page-${encoding}`,
    corpus: [...wrong].map((text) => Buffer.from(text, 'latin1')),
    run(input) {
      const frames = unpack(input);
      decodePage(frames);
      const ctx = contexts[input.length % contexts.length] as PageContext;
      // Signed again: the note would refuse every mutation before anything else is looked at.
      const signed = peer.signed(frames);
      check(judge(signed, ctx));
      check(judge(signed, ctx, [], peer.inclusionMap([...peer.entries.keys()])));
    },
  };
}

/** The entry is changed before it is hashed, put into the tree and signed over: only the rules for facts stand in its way. */
const signedEntry: Target = {
  name: 'signed-entry',
  corpus: peer.entries.map(({ bytes }) => Buffer.from(bytes)),
  run(input) {
    if (input.length === 0) return;
    const liar = peer.fork(3);
    const { entry } = liar.append({}, { bytes: () => input });
    const after = liar.feedLength(entry.scope) - 1;
    const frames = liar.page({ feed: entry.scope, after });
    const verdict = judge(frames, liar.context({ feed: entry.scope, after }));
    check(verdict);
    expect(verdict.kind !== 'proofs_needed', 'an entry that is in the tree needs no other proof');
  },
};

export const PAGE_TARGETS: readonly Target[] = [pageTarget('identity'), pageTarget('zstd'), signedEntry];
