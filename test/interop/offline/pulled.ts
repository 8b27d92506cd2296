/** Pages as a puller has them, with lies inside of the signed log and in signed headers: what ours makes of each. */
import type { Entry } from '../../../src/core/entry.ts';
import type { FactDraft } from '../../../src/drill/entry-draft.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import type { PageLie } from '../../../src/drill/served-log.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import type { PageContext } from '../../../src/verify/context.ts';
import type { Random } from '../../adversarial/fuzz/random.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge } from '../../support/judging.ts';
import { jsonEdit } from '../mutations/json-edits.ts';
import { edited } from './mutants.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const URI = 'stigmem://acme.example';

/** Of each member what is right, what is wrong, and what readers might see differently. */
const MEMBERS: { readonly [K in keyof FactDraft]-?: readonly NonNullable<FactDraft[K]>[] } = {
  feed: ['public', 'company', 'public/x'],
  fact_id: ['same', 'same', 'f'.repeat(256), 'é'.repeat(129), ''],
  entity: [
    '',
    `${URI}/e`,
    'stigmem:x',
    'stigmem://x',
    'instruction:a',
    'Instruction:a',
    'e\u0301',
    `x${'é'.repeat(1024)}`,
  ],
  relation: [
    'r',
    'stigmem:key_succession',
    'stigmem:tombstone',
    'stigmem:',
    'stigmem://a',
    'instruction:',
    'a\u2028b',
    'r'.repeat(2049),
  ],
  source: [
    URI,
    `${URI}/`,
    `${URI}?x`,
    `${URI}#x`,
    `${URI}:80/x`,
    'stigmem://ACME.example/x',
    'stigmem://acme.example./x',
    'user:a',
    ` ${URI}/x`,
  ],
  scope: ['public', 'Public', 'company', 'team', 'local', '', 'galaxy'],
  garden_id: ['incident-42', 'a/b', 'a/', '/', '.x', 'é', 'x'.repeat(129), ''],
  value_type: ['text', 'string', 'number', 'null', 'Text', '', 'blob'],
  value_v: ['', 'é'.repeat(32_768), `${'é'.repeat(32_768)}a`, '\u0000', '\ufeff', '\u{1f4a9}'],
  confidence: [0, 1, 0.1, 1e-5, 0.30000000000000004, 5e-324],
  interpret_as: ['content', 'instruction', 'Instruction', ''],
  valid_until: [
    '2027-01-01',
    '2027-01-01T10:20x+00:00',
    '2027-01-01T10:20é+00:00',
    '2027W01',
    '2027-02-29',
    '',
    'soon',
    '2027-01-01T00:00:00.000Z',
    `2027-01-01 ${'0'.repeat(250)}`,
  ],
  hlc: ['0000000000000.000', '9999999999999.999', '9000000000000.000', '9000000000001.000'],
  timestamp: ['', 'soon', 't'.repeat(257)],
  derived_from: [[], [''], ['x'.repeat(257)], Array.from({ length: 65 }, () => 'x')],
  attestation: [{ key_id: '', signature: '' }],
  origin: [{ chain_seq: 0, leaf_hash: 'A'.repeat(43).concat('='), node_id: URI }],
  received_from: [URI, ''],
};
const NAMES = Object.keys(MEMBERS) as (keyof FactDraft)[];
const CREATED = ['', 'soon', '2026-01-01', '2025-11-01T00:00:00Z', 'c'.repeat(257)];

function draftOf(random: Random, nowMs: number): FactDraft {
  const draft: Record<string, unknown> = {};
  for (let changes = random.below(3); changes > 0; changes--) {
    const name = random.pick(NAMES);
    draft[name] = random.pick<unknown>(MEMBERS[name]);
  }
  // About the bounds of the clock, on both sides.
  const offset = random.pick([300_000, 300_001, -30 * DAY_MS, -30 * DAY_MS - 1, -29 * DAY_MS, HOUR_MS]);
  if (random.chance(4)) draft['hlc'] = `${String(nowMs + offset).padStart(13, '0')}.${random.pick(['000', '999'])}`;
  return draft;
}

const HASHES = [`sha256:${'ab'.repeat(32)}`, `sha256:${'cd'.repeat(32)}`];

/** Hashes that are not true, alone or together: of which of them an entry behind may link to which, the protocol says. */
function claimOf(random: Random): Partial<Entry> {
  const hash = random.pick(HASHES);
  return random.pick<Partial<Entry>>([
    { created_at: random.pick(CREATED) },
    { chain_hash: hash },
    { cid: hash, chain_hash: hash },
    { event_hash: hash },
    { event_hash: hash, chain_hash: hash },
    { previous_hash: random.pick([null, ...HASHES]) },
    { previous_hash: hash, chain_hash: hash },
    { chain_seq: random.below(6) },
    { feed_seq: random.below(6) },
  ]);
}

/** The entry as a text, changed behind its hashes. */
function bytesOf(text: string, random: Random): string {
  try {
    return jsonEdit(text, text, random, edited);
  } catch {
    return edited(text, random);
  }
}

/** A header changed and signed for again. */
function headerOf(random: Random): NonNullable<PageLie['header']> {
  return (header) => {
    try {
      return JSON.parse(jsonEdit(JSON.stringify(header), JSON.stringify(header), random, edited)) as unknown;
    } catch {
      return header;
    }
  };
}

export interface Pulled {
  readonly case: object;
  /** The reason that the page is refused for; else places and reasons of what is refused, and how many are taken. */
  readonly here: unknown;
}

export function pulledPage(random: Random): Pulled {
  const startMs = EPOCH_MS - random.pick([0, 40 * DAY_MS, 29 * DAY_MS]);
  const nowMs = startMs + random.pick([HOUR_MS, 35 * DAY_MS, 30 * DAY_MS]);
  const log = new HonestPeer({ startMs });
  for (let i = 0; i < 4; i++) {
    const claim = random.chance(5) ? { claim: claimOf(random) } : {};
    const bytes = random.chance(8) ? { bytes: (text: string) => bytesOf(text, random) } : {};
    log.append(draftOf(random, nowMs), { ...claim, ...bytes });
  }
  const lie: PageLie = random.chance(6) ? { header: headerOf(random) } : {};
  let frames: ReturnType<HonestPeer['page']>;
  try {
    frames = log.page({ feed: 'public', after: 0, encoding: random.chance(2) ? 'zstd' : 'identity' }, lie);
  } catch {
    frames = log.page({ feed: 'public', after: 0 });
  }
  const context = log.context({ nowMs });
  const frame = (one: Uint8Array | null): string | null => one && encodeBase64(one);
  return {
    case: {
      kind: 'pulled',
      frames: [frames.header, frames.entries, frames.proof, frames.note].map(frame),
      self: context.self,
      origin: log.origin,
      key: encodeBase64(log.signer.publicKey),
      namespaces: [log.authority],
      accept: context.accept,
      now_ms: nowMs,
    },
    here: outcomeOf(frames, context),
  };
}

function outcomeOf(frames: Parameters<typeof judge>[0], context: PageContext): unknown {
  const verdict = judge(frames, context, [], 'unavailable');
  if (verdict.kind === 'refused') return verdict.reason;
  if (verdict.kind !== 'verified') return verdict.kind;
  const { accepted, refused, duplicates } = verdict.batch;
  const hidden = accepted.filter(({ quarantine }) => quarantine !== null).length;
  return [refused.map(({ feedSeq, reason }) => [feedSeq, reason]), accepted.length, duplicates, hidden];
}
