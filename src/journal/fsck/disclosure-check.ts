/** The disclosure ledger: each run is within its feed and under a grant of that feed to that peer, and none is missing. */
import { sameHash, sha256 } from '../../merkle/hash.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { feedNamed } from '../feed-places.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';

/** The migration that made the tables; an older file has none. */
const SINCE_SCHEMA = 3;

export function checkDisclosures(ctx: FsckContext): void {
  if (Number(ctx.db.pragma('user_version', { simple: true })) < SINCE_SCHEMA) return;
  walkTable(ctx, 'grant_texts', {
    judge: ({ digest, text }) =>
      sameHash(sha256(text), digest)
        ? undefined
        : { code: 'grant_hash_mismatch', field: 'text', detail: 'the hash is not that of the text' },
  });
  const grant = textOfGrant(ctx.db);
  const length = lengthOfFeed(ctx.db);
  // What is wrong with a feed or a grant is said where those are read.
  const knowsFeeds = !ctx.findings.isDamaged('feeds', 'entries');
  const knowsGrants = !ctx.findings.isDamaged('grant_texts');
  walkTable(ctx, 'disclosures', {
    judge: (row) =>
      judgeRun(row, knowsFeeds ? (length.get(row.feed) ?? 0) : row.to_seq) ??
      (knowsGrants ? judgeGrant(row, grant.get(row.grant_id)) : undefined),
  });
  if (!ctx.findings.isDamaged('disclosures', 'page_receipts')) checkAcknowledged(ctx);
}

function judgeRun(row: StoredRow<'disclosures'>, length: number): Fault | undefined {
  const { after_seq, to_seq, tree_size } = row;
  const wrong = (field: string, detail: string): Fault => ({ code: 'disclosure_range', field, detail });
  if (after_seq < 0 || to_seq <= after_seq) return wrong('after_seq', `it runs from behind ${after_seq} to ${to_seq}`);
  if (to_seq > length) return wrong('to_seq', `feed ${row.feed} has ${length} entries`);
  return to_seq > tree_size ? wrong('tree_size', `a tree of ${tree_size} entries has no entry ${to_seq}`) : undefined;
}

function judgeGrant({ peer, feed, grant_id }: StoredRow<'disclosures'>, text: string | undefined): Fault | undefined {
  if (text === undefined)
    return { code: 'disclosure_without_grant', field: 'grant_id', detail: `there is no grant ${grant_id}` };
  const isIts = text.includes(`"feed":${JSON.stringify(feed)},`) && text.includes(`"peer":${JSON.stringify(peer)},`);
  if (isIts) return undefined;
  return { code: 'disclosure_grant_mismatch', field: 'grant_id', detail: `grant ${grant_id} is another one: ${text}` };
}

/** A peer cannot have acknowledged what it was never given. Feeds of a time before the ledger are not in it at all. */
function checkAcknowledged({ db, findings }: FsckContext): void {
  const given = new Map(
    prepare<[], Reached>(db, ends('disclosures'))
      .all()
      .map(({ peer, feed, to }) => [`${peer}\n${feed}`, to]),
  );
  for (const { peer, feed, to } of prepare<[], Reached>(db, ends('page_receipts')).all()) {
    const known = given.get(`${peer}\n${feed}`);
    if (known === undefined || to <= known) continue;
    const detail = `${peer} has acknowledged ${feed} up to ${to}, the ledger says that it was given up to ${known}`;
    findings.problem({ table: 'disclosures', row: null, field: null, code: 'disclosure_missing', detail });
  }
}

interface Reached {
  readonly peer: string;
  readonly feed: string;
  readonly to: number;
}

function ends(table: 'disclosures' | 'page_receipts') {
  return sqlBuilder
    .selectFrom(table)
    .select((q) => ['peer', 'feed', q.fn.max('to_seq').as('to')])
    .groupBy(['peer', 'feed']);
}

function textOfGrant(db: Db): Statement<[number], string> {
  const query = sqlBuilder.selectFrom('grant_texts').select('text').where('grant_id', '=', PARAM);
  return prepare<[number]>(db, query).pluck() as Statement<[number], string>;
}

function lengthOfFeed(db: Db): Statement<[string], number> {
  const query = sqlBuilder
    .selectFrom('entries')
    .select('feed_seq')
    .where('feed_id', '=', feedNamed)
    .orderBy('feed_seq', 'desc')
    .limit(ONE);
  return prepare<[string]>(db, query).pluck() as Statement<[string], number>;
}
