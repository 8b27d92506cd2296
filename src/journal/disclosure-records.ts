/**
 * The disclosure ledger: which positions of our feeds were given to whom, when, under which grant. A run is durable before
 * the page that it is about leaves, so that a crash leaves a record of what may not have been sent, never the reverse.
 */
import { isoMicros } from '../core/time.ts';
import { sha256 } from '../merkle/hash.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';

/** Entries of one page that is about to leave. */
export interface Disclosure {
  /** Node id of the peer that it is for. */
  readonly peer: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly treeSize: number;
  /** As `grantText` writes it. */
  readonly grant: string;
}

/** A run of a feed that was given, as operators read it. */
export interface GivenRun {
  readonly id: number;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly tree_size: number;
  readonly sent_at: string;
  readonly grant: GivenGrant;
}

export interface GivenGrant {
  /** `sha256:…` of the text. */
  readonly hash: string;
  readonly text: string;
}

/** All that was given of one feed under one grant. */
export interface GivenFeed {
  readonly feed: string;
  readonly grant: GivenGrant;
  /** Entries; each is counted once. */
  readonly entries: number;
  /** Feed sequence of the first and the last of them. */
  readonly first: number;
  readonly last: number;
  readonly first_sent_at: string;
  readonly last_sent_at: string;
}

export interface RunQuery {
  readonly peer: string;
  /** Exclusive: runs after this one. */
  readonly cursor: number;
  readonly limit: number;
}

interface Run {
  readonly after_seq: number;
  readonly to_seq: number;
}

export class DisclosureRecords {
  readonly #grant: Statement<[Uint8Array], number>;
  readonly #before: Statement<[string, string, number, number], Run>;
  readonly #behind: Statement<[string, string, number, number], Run>;
  readonly #last: Statement<[string, string], { to_seq: number; tree_size: number }>;
  readonly #runs: Statement<[string, number, number], RunFound>;
  readonly #ofFact: Statement<[string, string, number, number], RunFound>;
  readonly #feeds: Statement<[string], FeedFound>;
  readonly #insertGrant: (row: NewRow<'grant_texts'>) => number;
  readonly #insert: (row: NewRow<'disclosures'>) => number;

  constructor(db: Db) {
    this.#grant = prepare<[Uint8Array]>(db, grantByDigest).pluck() as Statement<[Uint8Array], number>;
    this.#before = prepare(db, runsOfGrant.where('after_seq', '<=', PARAM).orderBy('after_seq', 'desc').limit(ONE));
    this.#behind = prepare(db, runsOfGrant.where('after_seq', '>', PARAM).orderBy('after_seq').limit(ONE));
    this.#last = prepare(db, newestOfFeed);
    this.#runs = prepare(db, runsOf.where('disclosure_id', '>', PARAM).orderBy('disclosure_id').limit(PARAM));
    this.#ofFact = prepare(
      db,
      runsOf
        .where('disclosures.feed', '=', PARAM)
        .where('after_seq', '<', PARAM)
        .where('to_seq', '>=', PARAM)
        .orderBy('disclosure_id'),
    );
    this.#feeds = prepare(db, feedsOf);
    this.#insertGrant = prepareAppend(db, 'grant_texts');
    this.#insert = prepareAppend(db, 'disclosures');
  }

  /** The parts of a page that are not in the ledger under its grant yet, in order. */
  missing({ peer, feed, after, to, grant }: Disclosure): readonly { readonly after: number; readonly to: number }[] {
    const grantId = this.#grant.get(sha256(grant));
    if (grantId === undefined) return after < to ? [{ after, to }] : [];
    const gaps: { after: number; to: number }[] = [];
    for (let at = after; at < to; ) {
      const covered = this.#before.get(peer, feed, grantId, at)?.to_seq ?? 0;
      if (covered > at) {
        at = covered;
        continue;
      }
      const end = Math.min(to, this.#behind.get(peer, feed, grantId, at)?.after_seq ?? to);
      gaps.push({ after: at, to: end });
      at = end;
    }
    return gaps;
  }

  /** Adds them. The caller holds the transaction. */
  save(
    { peer, feed, treeSize, grant }: Disclosure,
    runs: readonly { readonly after: number; readonly to: number }[],
    nowUs: number,
  ): void {
    const digest = sha256(grant);
    const grantId = this.#grant.get(digest) ?? this.#insertGrant({ digest, text: grant });
    for (const { after, to } of runs) {
      const run = { peer, feed, after_seq: after, to_seq: to, tree_size: treeSize };
      this.#insert({ ...run, grant_id: grantId, sent_us: nowUs });
    }
  }

  /** The last position of a feed that a peer was given, under whatever grant; null: nothing. */
  last(peer: string, feed: string): { readonly to: number; readonly treeSize: number } | null {
    const row = this.#last.get(peer, feed);
    return row === undefined ? null : { to: row.to_seq, treeSize: row.tree_size };
  }

  feeds(peer: string): readonly GivenFeed[] {
    return this.#feeds.all(peer).map((row) => ({
      feed: row.feed,
      grant: grantOf(row),
      entries: row.entries,
      first: row.first_after + 1,
      last: row.last_to,
      first_sent_at: isoMicros(row.first_us),
      last_sent_at: isoMicros(row.last_us),
    }));
  }

  /** Oldest first. */
  runs({ peer, cursor, limit }: RunQuery): readonly GivenRun[] {
    return this.#runs.all(peer, cursor, limit).map(runOf);
  }

  /** The runs that one entry of a feed is in: at most one for each grant. */
  ofFact(peer: string, feed: string, feedSeq: number): readonly GivenRun[] {
    return this.#ofFact.all(peer, feed, feedSeq, feedSeq).map(runOf);
  }
}

interface GrantFound {
  readonly digest: Uint8Array;
  readonly text: string;
}

interface RunFound extends GrantFound {
  readonly id: number;
  readonly feed: string;
  readonly after_seq: number;
  readonly to_seq: number;
  readonly tree_size: number;
  readonly sent_us: number;
}

interface FeedFound extends GrantFound {
  readonly feed: string;
  readonly entries: number;
  readonly first_after: number;
  readonly last_to: number;
  readonly first_us: number;
  readonly last_us: number;
}

function runOf(row: RunFound): GivenRun {
  const { id, feed, after_seq, to_seq, tree_size, sent_us } = row;
  return { id, feed, after: after_seq, to: to_seq, tree_size, sent_at: isoMicros(sent_us), grant: grantOf(row) };
}

function grantOf({ digest, text }: GrantFound): GivenGrant {
  return { hash: `sha256:${Buffer.from(digest).toString('hex')}`, text };
}

const grantByDigest = sqlBuilder.selectFrom('grant_texts').select('grant_id').where('digest', '=', PARAM);

const runsOfGrant = sqlBuilder
  .selectFrom('disclosures')
  .select(['after_seq', 'to_seq'])
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .where('grant_id', '=', PARAM);

const newestOfFeed = sqlBuilder
  .selectFrom('disclosures')
  .select(['to_seq', 'tree_size'])
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .orderBy('to_seq', 'desc')
  .limit(ONE);

const runsOf = sqlBuilder
  .selectFrom('disclosures')
  .innerJoin('grant_texts', 'grant_texts.grant_id', 'disclosures.grant_id')
  .select([
    'disclosures.disclosure_id as id',
    'disclosures.feed as feed',
    'disclosures.after_seq as after_seq',
    'disclosures.to_seq as to_seq',
    'disclosures.tree_size as tree_size',
    'disclosures.sent_us as sent_us',
    'grant_texts.digest as digest',
    'grant_texts.text as text',
  ])
  .where('disclosures.peer', '=', PARAM);

const feedsOf = sqlBuilder
  .selectFrom('disclosures')
  .innerJoin('grant_texts', 'grant_texts.grant_id', 'disclosures.grant_id')
  .select((q) => [
    'disclosures.feed as feed',
    'grant_texts.digest as digest',
    'grant_texts.text as text',
    q.fn.sum<number>(q('disclosures.to_seq', '-', q.ref('disclosures.after_seq'))).as('entries'),
    q.fn.min('disclosures.after_seq').as('first_after'),
    q.fn.max('disclosures.to_seq').as('last_to'),
    q.fn.min('disclosures.sent_us').as('first_us'),
    q.fn.max('disclosures.sent_us').as('last_us'),
  ])
  .where('disclosures.peer', '=', PARAM)
  .groupBy(['disclosures.feed', 'disclosures.grant_id'])
  .orderBy('disclosures.feed')
  .orderBy('disclosures.grant_id');
