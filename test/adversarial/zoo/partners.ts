/** Partners that were let in, and lie, stall or rage. */
import type { FactReason, PageReason } from '../../../src/core/verdict.ts';
import type { Behaviour } from '../../../src/drill/hostile-peer.ts';
import { FloodLog } from '../../support/flood-log.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { type EntryReason, factBehaviour } from '../fact-lies.ts';
import { HALF, PAGE_LIES, type PageCase, pageBehaviour, WHOLE } from '../page-lies.ts';
import { stallBehaviour } from '../stalling-lies.ts';
import { FLOODS } from '../transport/floods.ts';
import type { PeerAnimal } from './animal.ts';
import { forgeReceipts, hurry, probe, race, storm, throwing } from './callers.ts';
import { acknowledgesNothing, recorded, refusedPage, saysThat, summarized } from './judges.ts';

type Told = Pick<PeerAnimal, 'name' | 'threats' | 'does' | 'verdict'>;

const ACCEPTED = { accept: ['public'] };

function partner(told: Told, behaviour: PeerAnimal['behaviour'], more: Partial<PeerAnimal> = {}): PeerAnimal {
  return {
    kind: 'peer',
    grants: ACCEPTED,
    isHeavy: false,
    isImpostor: false,
    isMetFirst: false,
    behaviour,
    ...told,
    ...more,
  };
}

type Row = readonly [name: string, threats: readonly number[], does: string];

/** Lies in a fact: that fact is refused, its neighbours are taken. */
const FACTS: Readonly<Partial<Record<EntryReason, Row>>> = {
  cid_mismatch: ['forged-cid', [4, 13], 'Signs facts whose CID is another body’s, at every place of a page'],
  cid_missing: ['bare-fact', [5], 'Leaves the CID out'],
  valid_until_extended: ['life-extender', [6], 'Tells a fact again, with a longer life'],
  fact_rewritten: ['rewriter', [6], 'Tells another fact under an id that was given'],
  entry_noncanonical: ['second-spelling', [7], 'Writes the same entry with one space more'],
  chain_link_mismatch: ['broken-chain', [8], 'Links facts to another predecessor than the one before'],
  inclusion_proof_invalid: ['garbled-fact', [4, 13], 'Changes facts on the way, behind their proofs'],
  hlc_future: ['clock-pusher', [14], 'Stamps facts a century ahead'],
  scope_not_granted: ['smuggler', [15], 'Puts company facts into the public feed'],
  scope_escalated: ['local-leaker', [15], 'Sends facts that are local to it'],
  source_not_owned: ['forger', [16], 'Writes in the name of somebody else'],
  origin_proof_invalid: ['unasked-relay', [16], 'Passes on what it says to have from a third node'],
  namespace_reserved: ['key-writer', [31], 'Asserts a fact about keys in the reserved namespace'],
};

function factAnimals(): readonly PeerAnimal[] {
  const events: Partial<Record<EntryReason, string>> = {
    source_not_owned: 'rejected_fact',
    namespace_reserved: 'rejected_fact',
    scope_not_granted: 'scope_violation',
    scope_escalated: 'scope_violation',
    hlc_future: 'peer_hlc_anomaly',
    valid_until_extended: 'federation_valid_until_extension_rejected',
  };
  return Object.entries(FACTS).map(([key, [name, threats, does]]) => {
    const reason = key as FactReason;
    const event = events[reason] ?? 'federation_integrity_rejected';
    const told = { name, threats, does, verdict: `Those facts are refused, \`${reason}\`; the others are taken` };
    return partner(told, (authority) => factBehaviour(reason, authority), { judge: recorded(event, reason) });
  });
}

type PageRow = readonly [...Row, reason: PageReason, way: string];

/** Lies about a page: the page is refused, what came before it stands. */
const PAGES: readonly PageRow[] = [
  [
    'unsigned-page',
    [5, 34],
    'Sends a page without its note, so that it can deny having sent it',
    'page_malformed',
    'no note',
  ],
  ['denier', [34], 'Signs its pages with a key that is not its own', 'page_malformed', 'a note by another key'],
  [
    'page-replayer',
    [19],
    'Sends a page that was signed for another receiver',
    'page_malformed',
    'a note for another peer',
  ],
  ['stripped-proof', [5], 'Leaves the consistency proof out', 'consistency_proof_invalid', 'no path'],
  [
    'forged-path',
    [12, 29],
    'Proves its growth by a true path of another tree',
    'consistency_proof_invalid',
    'a true path, from another smaller tree',
  ],
  [
    'unanchored',
    [5, 32],
    'Leaves the anchor out that its file asks for',
    'anchor_missing',
    'without the anchor that the policy asks for',
  ],
  ['false-anchor', [32], 'Shows the receipt of another log as its anchor', 'anchor_invalid', 'of another log'],
  [
    'unwitnessed',
    [5, 10],
    'Leaves the cosignature out that its file asks for',
    'witness_quorum_unmet',
    'without the cosignature that the policy asks for',
  ],
  [
    'eraser',
    [9, 37],
    'Leaves a fact out as erased, without a tombstone',
    'erasure_unproven',
    'an entry is withheld as erased, without a tombstone',
  ],
  ['withholder', [9], 'Leaves a fact out of a page', 'feed_gap', 'an entry withheld'],
  [
    'silent-end',
    [9],
    'Sends an empty page although there is more',
    'feed_head_mismatch',
    'an empty page although there is more',
  ],
  ['doubler', [8], 'Gives two facts the same place in the feed', 'feed_gap', 'a feed sequence given twice'],
  ['shuffler', [8], 'Answers for another range than the one asked for', 'feed_gap', 'another range than asked for'],
  ['two-faced', [10], 'Signs two histories of the same size', 'checkpoint_split_view', 'same size, other root'],
  ['reverter', [11], 'Goes back to a smaller tree', 'checkpoint_rollback', 'smaller than known'],
  [
    'key-thief',
    [31],
    'Signs its checkpoint with a new key, without a succession',
    'checkpoint_signature_invalid',
    'another key',
  ],
  [
    'other-log',
    [1],
    'Shows the checkpoint of somebody else’s log as its own',
    'checkpoint_origin_mismatch',
    'another log’s',
  ],
  ['bomber', [20], 'Sends 300 MiB of zeros in a small compressed page', 'page_malformed', 'a zstd bomb'],
  ['tower', [20], 'Nests 50,000 brackets in a header', 'page_malformed', 'header is a tower'],
];

function pageAnimals(): readonly PeerAnimal[] {
  return PAGES.map(([name, threats, does, reason, way]) => {
    const one = PAGE_LIES[reason][way];
    if (one === undefined) throw new Error(`no page lie ${reason}: ${way}`);
    const { anchors = [], witnesses } = one;
    const told = { name, threats, does, verdict: `The page is refused, \`${reason}\`, with its evidence` };
    const grants = { ...ACCEPTED, anchors, ...(witnesses === undefined ? {} : { witnesses }) };
    const more = { grants, judge: refusedPage(reason), isHeavy: name === 'bomber' };
    return partner(told, (authority) => pageBehaviour(one, authority), more);
  });
}

/** It is given up when its time is over, or its place when others wait for it. */
const STUCK = /stuck|too slow|others wait/;

/** Waste of time and memory: the node waits, says what for, and goes on with the others. */
const STALLS: readonly (readonly [...Row, says: RegExp, words: string])[] = [
  ['silent', [20], 'Takes the request and says nothing', STUCK, 'that nothing came'],
  ['silent-hello', [20], 'Says nothing to the first words', STUCK, 'that nothing came'],
  ['drips', [20], 'Sends one byte at a time', STUCK, 'that no whole frame came'],
  [
    'endless-pages',
    [20],
    'Sends empty pages for ever',
    /more than the \d+ pages|gave nothing|place/,
    'that it sends more pages than were asked for',
  ],
  [
    'more-for-ever',
    [20],
    'Says that there is more and sends nothing',
    /it said \d+ times/,
    'that it promised and gave nothing',
  ],
  ['huge-frame', [20], 'Sends a frame of 5 MiB', /frame/, 'that the frame is too large'],
  [
    'resets-in-the-middle',
    [20],
    'Resets each answer in the middle of a page',
    /reset|refused/,
    'that the answer was cut',
  ],
  [
    'truncates',
    [20],
    'Ends each answer in the middle of a frame',
    /ended inside a frame|in the middle/,
    'that the answer was cut',
  ],
  ['no-end', [20], 'Leaves the end of its answers out', /without an end frame/, 'that the end is missing'],
  ['hangs-up', [1, 20], 'Hangs up on the first words', /reset|closed|refused|aborted/i, 'that it was hung up on'],
  [
    'busy-for-ever',
    [20],
    'Is busy for the next 285,000 years',
    /busy/,
    'that the peer is busy; it is tried again after a quarter of an hour at most',
  ],
];

function stallAnimals(): readonly PeerAnimal[] {
  return STALLS.map(([name, threats, does, says, words]) => {
    const told = { name, threats, does, verdict: `The node backs off and says ${words}` };
    const isHeavy = ['endless-pages', 'huge-frame'].includes(name);
    return partner(told, (authority) => stallBehaviour(name, authority), { judge: saysThat(says), isHeavy });
  });
}

/** More are judged at their pace alone. */
const LIES = 1_200;
const MOST_RECORDS = 400;

function flooding(authority: string): Behaviour {
  const kindAt = (i: number) =>
    i === LIES - 200 ? 'cid_missing' : i % 2 === 0 ? 'cid_mismatch' : 'event_hash_mismatch';
  return { log: new FloodLog(authority, LIES, kindAt) };
}

const STEERING = '\u001b]0;owned\u0007\u001b[2J\n<script>alert(1)</script>\n=cmd|calc!A1\nCEF:0|x|\u202egpj.exe';

/** The lying page names a feed that steers terminals, pages, sheets and logs. */
const INJECTION: Pick<PageCase, 'build' | 'lie'> = {
  build: (authority) => new HonestPeer({ authority }).appendMany(WHOLE, (i) => ({ value_v: `${STEERING} ${i}` })),
  lie: (log) => [
    log.page(
      { feed: 'public', after: HALF, size: WHOLE, knownSize: HALF },
      { header: (header) => ({ ...header, feed: STEERING }) },
    ),
  ],
};

/** Honest once, then another declaration than the one that was kept. */
function newKey(authority: string): Behaviour {
  const log = new HonestPeer({ authority }).appendMany(WHOLE);
  const other = new HonestPeer({ authority, logKey: 'of a thief' }).appendMany(WHOLE);
  let pulls = 0;
  return {
    log,
    hello: (honest, sayingFor) => [pulls === 0 ? honest : sayingFor(other)],
    pull: (request, _signal, _peer, receiver) => {
      // What fails is greeted anew.
      if (pulls++ > 0) throw new Error('greet me again');
      return log.answerPull(request, ['public'], {}, receiver);
    },
  };
}

function honest(authority: string, entries = WHOLE): HonestPeer {
  return new HonestPeer({ authority }).appendMany(entries);
}

const OWN: readonly PeerAnimal[] = [
  partner(
    {
      name: 'impostor',
      threats: [1],
      does: 'Answers at a partner’s address with another key',
      verdict: 'It is never spoken to, and the node says that somebody else answers there',
    },
    (authority) => ({ log: honest(authority) }),
    { isImpostor: true, judge: saysThat(/has another key/) },
  ),
  partner(
    {
      name: 'key-changer',
      threats: [31],
      does: 'Declares another log key than the one that its file names',
      verdict: 'The declaration is refused, `log_key_mismatch`',
    },
    newKey,
    { judge: recorded('peer_declaration_refused', 'log_key_mismatch') },
  ),
  partner(
    {
      name: 'instructor',
      threats: [36, 47],
      does: 'Sends facts that tell agents what to do',
      verdict: 'They are taken into quarantine, `instruction_inbound`, and hidden from readers',
    },
    (authority) => factBehaviour('instruction_inbound', authority),
    { judge: recorded('quarantine_ingest', 'instruction_inbound') },
  ),
  partner(
    {
      name: 'injector',
      threats: [23],
      does: 'Puts terminal sequences, markup, formulas and line ends into a feed’s name and into facts',
      verdict: 'The page is refused, `page_malformed`; the facts are text, and nothing raw leaves the API',
    },
    (authority) => pageBehaviour(INJECTION, authority),
    { judge: refusedPage('page_malformed') },
  ),
  partner(
    {
      name: 'flood',
      threats: [21, 22],
      does: `Sends ${LIES.toLocaleString('en')} lies of two kinds, and one of a third among the last`,
      verdict: 'All are refused in a few hundred records; the one of the third kind has its own',
    },
    flooding,
    { judge: summarized(LIES, MOST_RECORDS, 'cid_missing'), isHeavy: true },
  ),
  partner(
    {
      name: 'prober',
      threats: [17, 18],
      does: 'Asks for feeds, closures and proofs that it is granted nothing of',
      verdict: 'Every answer has the bytes of that about a feed that does not exist',
    },
    (authority) => ({ log: honest(authority), call: probe }),
    { grants: {}, isHeavy: true },
  ),
  partner(
    {
      name: 'receipt-forger',
      threats: [19],
      does: 'Signs for pages that it was never given',
      verdict: 'It is answered as for true receipts, and nothing counts as acknowledged',
    },
    (authority) => ({ log: honest(authority), call: forgeReceipts }),
    { grants: { share: ['public'] }, judge: acknowledgesNothing, isHeavy: true },
  ),
  partner(
    {
      name: 'hurrier',
      threats: [20],
      does: 'Asks far more often than its rate allows',
      verdict: 'Requests beyond the rate are reset',
    },
    (authority) => ({ log: honest(authority), call: hurry }),
    { grants: {}, isHeavy: true },
  ),
  partner(
    {
      name: 'storm',
      threats: [13, 20],
      does: 'Connects, opens streams and cuts them, sixty times in a row',
      verdict: 'The node goes on',
    },
    (authority) => ({ log: honest(authority), call: storm }),
    { grants: {}, isHeavy: true },
  ),
  partner(
    {
      name: 'never-reads',
      threats: [20],
      does: 'Asks for everything and reads nothing',
      verdict: 'What the node holds for it is bounded, and it goes on',
    },
    (authority) => {
      const { log, call } = stallBehaviour('never-reads', authority);
      return { log, call: async (...at) => call?.(...at).then(() => []) };
    },
    { grants: { share: ['public'] }, isHeavy: true },
  ),
  partner(
    {
      name: 'racer',
      threats: [10, 29, 38],
      does: 'Wants cosignatures on two histories of its log at the same time',
      verdict: 'One history is cosigned',
    },
    (authority) => {
      const log = honest(authority);
      return { log, call: (_node, victim, seed) => race(log, victim, seed) };
    },
    { isHeavy: true, isMetFirst: true },
  ),
  ...FLOODS.map((one) =>
    partner(
      {
        name: `throws ${one.what}`.replaceAll(' ', '-').toLowerCase(),
        threats: [20],
        does: `Throws at the multiplexer: ${one.what}`,
        verdict: 'It is hung up on',
      },
      (authority) => ({ log: honest(authority), call: throwing(one) }),
      { grants: {}, isHeavy: true },
    ),
  ),
];

export const PARTNERS: readonly PeerAnimal[] = [...factAnimals(), ...pageAnimals(), ...stallAnimals(), ...OWN];
