/** Exchanges observed on the running Stigmem reference (v0.9.0a10), sent to our API in the same order. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { createTestApi, type Role, type TestApi } from '../../support/api-fixture.ts';
import { openFolderApi } from '../../support/data-folder.ts';

/** What the samples need of a node: one over a real data folder, but for limits that only a node in memory can have. */
type Api = Pick<TestApi, 'send' | 'audit' | 'tamper' | 'keys' | 'close'>;

interface Case {
  readonly id: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
    readonly raw_body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly json: unknown;
  };
}

const file = new URL('../../vectors/reference/http-samples.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };

/** Samples of endpoints that this product does not have (yet), by the start of their id, with the reason. */
const NOT_HERE: Readonly<Record<string, string>> = {
  doctor: 'GET /v1/doctor: /readyz answers what it asks',
  recall: 'answered with cards; the shape of these is held by test/integration/recall/recall.test.ts',
  conflicts: 'GET /v1/conflicts: conflict facts are not written yet',
  conflict: 'POST /v1/conflicts/{id}/resolve: as conflicts',
  'peers-list': 'lists a peer that was registered over HTTP; the shape is held by test/unit/admin/peers.test.ts',
  'peer-register': 'POST /v1/federation/peers: peers are files; registration over HTTP belongs to the HTTP bridge',
  'peer-approve': 'POST /v1/federation/peers/{id}/approve: as registration',
  'federation-facts': 'GET /v1/federation/facts: the HTTP bridge',
  push: 'POST /v1/federation/facts/push: the HTTP bridge',
  lint: 'POST /v1/lint',
  card: 'GET /v1/cards/{entity}',
  'admin-audit': 'GET /v1/admin/audit',
  audit: 'GET /v1/audit',
  'cid-backfill': 'GET /v1/admin/cid-backfill/status: every fact has its CID when it is stored',
  'quarantine-list': 'GET /v1/quarantine: review is not part of this API yet',
  'verify-cid-null': 'verify-cid without a stored CID: no such fact can exist here',
};

const COVERED: ReadonlySet<string> = new Set([
  'wellknown',
  'healthz',
  'me',
  'auth-missing',
  'auth-bad',
  'auth-basic',
  'assert-python-sdk',
  'assert-idempotent',
  'assert-bare-relation-warning',
  'assert-system-relation-warning',
  'assert-contradiction',
  'assert-valid-until',
  'assert-read-only-key',
  'assert-instruction-denied',
  'assert-bad-scope',
  'assert-bad-type',
  'assert-missing-fields',
  'assert-confidence-range',
  'assert-blank-entity',
  'assert-bad-json',
  'assert-unknown-garden',
  'assert-bad-write-mode',
  'retract',
  'get-by-id',
  'get-by-cid',
  'get-unknown',
  'get-cid-malformed',
  'get-cid-unknown',
  'get-write-only-key',
  'verify-cid',
  'verify-cid-unknown',
  'provenance',
  'query-default',
  'query-contradicted-hidden',
  'query-contradicted-shown',
  'query-bad-scope',
  'query-bad-limit',
  'query-as-of',
  'session-read',
  'session-write-denied',
  'session-write-with-provenance',
  'session-too-long',
  'recall-empty',
  'recall-bad-scope',
  'recall-bad-depth',
  'recall-409-chain',
  'peers-empty',
  'peers-no-permission',
  'federation-audit',
  'federation-audit-filter',
  'federation-audit-no-permission',
  'unknown-route',
  'wrong-method',
  'get-409-cid-mismatch',
  'verify-cid-mismatch',
  'quota-429',
]);

/** Where we answer otherwise on purpose: path in the answer → why. The value there must differ, or the line goes. */
const DIFFERENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  wellknown: {
    '.federation': 'the reference’s federation over HTTP is not spoken; libp2p is described under `peerd`',
    '.federation_pubkey': 'as above',
    '.federation_version': 'as above',
    '.federation_endpoints': 'as above',
    '.node_id': 'another node',
  },
  'query-contradicted-shown': {
    '.facts.0.contradicted': 'the reference looks for contradictions inside the page only',
    '.total': 'the reference counts the page, not the matches',
    'x-total-count': 'as total',
  },
};

/** Members of other value in every run, by name: the type must be the same. */
const VOLATILE = new Set(['id', 'recall_id', 'fact_id', 'timestamp', 'hlc', 'ts', 'retry_after', 'error', 'cursor']);
/** Members that the reference computes with a part (source trust) that is not here. */
const MAY_BE_NULL = new Set(['source_trust', 'effective_confidence']);
/** Members that we add to answers of the reference; its SDKs keep what they do not know. */
const ADDED = new Set([
  'peerd',
  'key_id',
  'expires_at',
  'leaf_valid',
  'received_from',
  'origin',
  'chain_seq',
  'field',
  'seq',
  'reason',
  'feed',
  'fact_id',
  'cid',
  'evidence',
  'actor',
  'severity',
  'is_drill',
  'previous_hash',
]);

let api: Api;
const ids = new Map<string, string>();

before(async () => {
  api = await openFolderApi();
});
after(() => api.close());

test('every sample is either run or named with a reason', () => {
  const unknown = cases.filter(({ id }) => !COVERED.has(id) && reasonFor(id) === undefined).map(({ id }) => id);
  assert.deepEqual(unknown, []);
  const known = new Set(cases.map(({ id }) => id));
  assert.deepEqual(
    [...COVERED].filter((id) => !known.has(id)),
    [],
  );
});

function reasonFor(id: string): string | undefined {
  return Object.entries(NOT_HERE).find(([start]) => id === start || id.startsWith(`${start}-`))?.[1];
}

test('the API answers as the reference did', async (t) => {
  for (const sample of cases) {
    if (!COVERED.has(sample.id)) continue;
    await t.test(sample.id, async () => {
      await prepare(sample);
      const response = sample.id === 'quota-429' ? await overQuota(sample) : await send(api, sample);
      assert.equal(response.status, sample.response.status, await response.clone().text());
      const answer: unknown = await response.json();
      remember(sample, answer);
      const differences: string[] = [];
      compare(sample.response.json, answer, '', differences);
      compareHeaders(sample, response, differences);
      assert.deepEqual(
        differences.map((line) => line.split(' ')[0]).sort(),
        Object.keys(DIFFERENT[sample.id] ?? {}).sort(),
        differences.join('\n'),
      );
    });
  }
});

async function prepare({ id, request }: Case): Promise<void> {
  const fact = ids.get(request.path.split('/')[3] ?? '') ?? '';
  if (id === 'get-409-cid-mismatch') await api.tamper(fact, 'value_v', 'somebody else');
  if (id !== 'federation-audit') return;
  const peer = '625bfdba-d4a9-4b57-a1ec-2b88179f5378';
  await api.audit(
    { event: 'peer_approval_failed', peer, detail: { node_id: 'stigmem:node:p1', reason: 'fingerprint_mismatch' } },
    { event: 'peer_approved', peer, detail: { node_id: 'stigmem:node:p1', approved_by: 'agent:full' } },
    {
      event: 'tl_proof_missing',
      peer,
      detail: { node_id: 'stigmem:node:p1', action: 'accepted_with_warning', trust_mode: 'relaxed' },
    },
  );
}

function send(to: Api, { request }: Case): Promise<Response> {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      value.replace(/<(\w+)>/, (_, role: string) => to.keys[role as Role] ?? 'nope-nope-nope-nope-nope-nope-nope'),
    ]),
  );
  const translate = (text: string): string =>
    [...ids].reduce((out, [theirs, ours]) => out.replaceAll(theirs, ours), text);
  const body = request.raw_body ?? (request.body === null ? undefined : JSON.stringify(request.body));
  if (request.body !== null) headers['content-type'] = 'application/json';
  return to.send(translate(request.path), {
    method: request.method,
    headers,
    ...(body === undefined ? {} : { raw: translate(body) }),
  });
}

async function overQuota(sample: Case): Promise<Response> {
  const tight = { burst: 1, perSecond: 1 };
  const limited = await createTestApi({
    limits: { quotas: { ...DEFAULT_API_LIMITS.quotas, fact_read: tight, fact_write: tight } },
  });
  await send(limited, sample);
  const response = await send(limited, sample);
  await limited.close();
  return response;
}

function remember({ response }: Case, answer: unknown): void {
  const theirs = (response.json as { id?: unknown } | null)?.id;
  const ours = (answer as { id?: unknown } | null)?.id;
  if (response.status === 201 && typeof theirs === 'string' && typeof ours === 'string') ids.set(theirs, ours);
}

function compareHeaders({ response }: Case, answer: Response, differences: string[]): void {
  for (const [name, value] of Object.entries(response.headers)) {
    if (answer.headers.get(name) !== value)
      differences.push(`${name} header: ${value} became ${answer.headers.get(name)}`);
  }
}

function compare(theirs: unknown, ours: unknown, path: string, differences: string[]): void {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (Array.isArray(theirs) && Array.isArray(ours) && name !== 'permissions') {
    if (theirs.length !== ours.length) differences.push(`${path} length ${theirs.length} became ${ours.length}`);
    for (const [index, item] of theirs.entries()) compare(item, ours[index], `${path}.${index}`, differences);
  } else if (isObject(theirs) && isObject(ours)) {
    compareMembers(theirs, ours, path, differences);
  } else if (!sameLeaf(theirs, ours, name)) {
    differences.push(`${path} ${JSON.stringify(theirs)} became ${JSON.stringify(ours)}`);
  }
}

function compareMembers(
  theirs: Record<string, unknown>,
  ours: Record<string, unknown>,
  path: string,
  differences: string[],
): void {
  for (const [name, value] of Object.entries(theirs)) {
    if (name in ours) compare(value, ours[name], `${path}.${name}`, differences);
    else differences.push(`${path}.${name} is missing`);
  }
  const added = Object.keys(ours).filter((name) => !(name in theirs));
  for (const name of added) if (!ADDED.has(name)) differences.push(`${path}.${name} was added`);
  // An audit record is kept as one canonical text, so the names inside its detail are sorted.
  if (/^\.entries\.\d+\.detail$/.test(path)) return;
  const kept = Object.keys(ours).filter((name) => name in theirs);
  const order = Object.keys(theirs).filter((name) => name in ours);
  assert.deepEqual(kept, order, `order of members at ${path}`);
}

function sameLeaf(theirs: unknown, ours: unknown, name: string): boolean {
  if (MAY_BE_NULL.has(name) && ours === null) return true;
  if (VOLATILE.has(name) && theirs !== null) return typeof ours === typeof theirs;
  if (name === 'cursor') return ours === null || typeof ours === 'string';
  if (name === 'computed_cid' && theirs !== ours) return typeof ours === 'string' && /^sha256:[0-9a-f]{64}$/.test(ours);
  if (typeof theirs === 'string' && typeof ours === 'string') return comparable(theirs) === comparable(ours);
  return JSON.stringify(theirs) === JSON.stringify(ours);
}

/** Python prints sets in any order; of a warning the first clause is the statement, the rest is advice. */
function comparable(text: string): string {
  const sorted = text.replace(/\{([^}]*)\}/g, (_, words: string) => words.split(', ').sort().join(', '));
  return /^(?:bare relation|relation ')/.test(text) ? (sorted.split(';')[0] ?? '') : sorted;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
