/** docs/PROTOCOL.md says what the code does: its examples decode, its codes and its numbers are those of the source. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as limits from '../../../src/core/limits.ts';
import { isFeed } from '../../../src/core/scope.ts';
import { FACT_EVENT, PENALTY } from '../../../src/core/verdict.ts';
import { rawKeyOf } from '../../../src/transport/identity.ts';
import { DEFAULT_GUARD_LIMITS, DEFAULT_TRANSPORT_LIMITS } from '../../../src/transport/limits.ts';
import { factIdsOf, judgePage } from '../../../src/verify/judge.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import { openPage } from '../../../src/verify/page.ts';
import { decodeClosureAnswer, decodeClosureRequest, openClosure } from '../../../src/wire/closure.ts';
import { openDeclaration } from '../../../src/wire/declaration.ts';
import { decodeHello } from '../../../src/wire/hello.ts';
import { decodeInviteAnswer, decodeInviteRequest } from '../../../src/wire/invite.ts';
import { decodeInviteCode } from '../../../src/wire/invite-code.ts';
import { decodePage } from '../../../src/wire/page.ts';
import { decodePageHeader } from '../../../src/wire/page-header.ts';
import { openPeerNote } from '../../../src/wire/peer-note.ts';
import { decodeProofAnswer, decodeProofRequest } from '../../../src/wire/proof.ts';
import { PROTOCOLS } from '../../../src/wire/protocols.ts';
import { decodePullEnd, isPullEnd } from '../../../src/wire/pull-end.ts';
import { decodePullRequest } from '../../../src/wire/pull-request.ts';
import { decodeHeadAnswer, decodeRecoverRequest } from '../../../src/wire/recover.ts';
import { decodeKeysAnswer } from '../../../src/wire/recover-keys.ts';
import { decodeNoticeAnswer, decodeNoticeRequest, openNotice } from '../../../src/wire/refusal-notice.ts';
import { decodePermitAnswer, decodePermitRequest, openRelayPermit } from '../../../src/wire/relay-permit.ts';
import { decodeWatchRequest, decodeWatchUpdate } from '../../../src/wire/watch.ts';
import { COSIGN_REFUSALS, decodeWitnessAnswer, decodeWitnessRequest } from '../../../src/wire/witness.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { exampleIdentity, examplePeer, examples, filled, PAGE, shown } from '../../support/protocol-examples.ts';

const page = readFileSync(PAGE, 'utf8');
const blocks = shown(page);
const bytes = (name: string, more = ''): Buffer => {
  const block = blocks.get(name);
  assert.ok(block !== undefined, `the page shows no ${name}`);
  return Buffer.from(`${block}${more}`);
};

test('the examples are what the code makes', async () => {
  const made = await examples();
  assert.deepEqual([...blocks.keys()].sort(), [...made.keys()].sort());
  assert.equal(filled(page, made), page, 'bring it up to date: node test/support/protocol-examples.ts');
});

test('every message on the page decodes', async () => {
  const peer = examplePeer();
  const { publicKey, peerId } = await exampleIdentity();
  assert.deepEqual(rawKeyOf(peerId), publicKey);
  const hello = decodeHello(bytes('hello'));
  assert.ok(hello.ok);
  assert.equal(hello.value.declaration, bytes('declaration', '\n').toString());
  assert.ok(openDeclaration(hello.value.declaration, { nodeId: peer.nodeId, nodeKey: publicKey }).ok);
  assert.deepEqual(hello.value.protocols, PROTOCOLS);
  assert.ok(decodePullRequest(bytes('pull-request')).ok);
  for (const name of ['pull-end', 'pull-error'])
    assert.ok(isPullEnd(bytes(name)) && decodePullEnd(bytes(name)).ok, name);
  assert.ok(!isPullEnd(bytes('page-header')));
  for (const kind of ['head', 'keys', 'entries'])
    assert.ok(decodeRecoverRequest(bytes(`recover-request-${kind}`)).ok, kind);
  assert.ok(decodeHeadAnswer(bytes('recover-answer-head')).ok);
  const keys = decodeKeysAnswer(bytes('recover-answer-keys'));
  assert.ok(keys.ok && openStatements(keys.value, peer.nodeId).length === 1);
  assert.ok(decodeClosureRequest(bytes('closure-request')).ok);
  const closures = decodeClosureAnswer(bytes('closure-answer'));
  const log = { origin: peer.origin, key: peer.signer.publicKey };
  assert.ok(closures.ok && openClosure(closures.value.closures[0] ?? '', log).ok);
  const notices = decodeNoticeRequest(bytes('notice-request'));
  const reader = new HonestPeer({ authority: 'globex.example', journal: '00000000000000bb' });
  const readerLog = { origin: reader.origin, key: reader.signer.publicKey };
  assert.ok(notices.ok && openNotice(notices.value.notices[0] ?? '', readerLog).ok);
  assert.ok(decodeNoticeAnswer(bytes('notice-answer')).ok);
  const origin = new HonestPeer({ authority: 'initech.example', journal: '00000000000000cc' });
  const permit = decodePermitAnswer(bytes('relay-answer'));
  const originLog = { origin: origin.origin, key: origin.signer.publicKey };
  assert.ok(decodePermitRequest(bytes('relay-request')).ok);
  assert.ok(permit.ok && openRelayPermit(permit.value ?? '', originLog).ok);
  assert.ok(decodePageHeader(bytes('relay-header')).ok);
  assert.ok(decodeWatchRequest(bytes('watch-request')).ok);
  assert.ok(decodeWatchUpdate(bytes('watch-update')).ok);
  for (const kind of ['inclusion', 'consistency', 'tile']) {
    assert.ok(decodeProofRequest(bytes(`proof-request-${kind}`)).ok, kind);
    assert.ok(decodeProofAnswer(bytes(`proof-answer-${kind}`)).ok, kind);
  }
  for (const kind of ['cosign', 'heads', 'evidence'])
    assert.ok(decodeWitnessRequest(bytes(`witness-request-${kind}`)).ok, kind);
  for (const kind of ['cosigned', 'stale', 'refused', 'heads', 'judged'])
    assert.ok(decodeWitnessAnswer(bytes(`witness-answer-${kind}`)).ok, kind);
  assert.ok(decodeInviteCode(bytes('invite-code').toString()).ok);
  assert.ok(openPeerNote(bytes('peer-note', '\n').toString()).ok);
  assert.ok(decodeInviteRequest(bytes('invite-request')).ok && decodeInviteAnswer(bytes('invite-answer')).ok);
  const stream = blocks.get('stream') ?? '';
  assert.ok(stream.endsWith(`7b ‖ the ${bytes('pull-request').length} bytes of the request`), stream);
});

test('the pages on the page are accepted by the verifier', () => {
  const peer = examplePeer();
  const frames = {
    header: bytes('page-header'),
    entries: bytes('page-entries', '\n'),
    proof: Buffer.from(bytes('page-proof').toString().replaceAll('\n', ''), 'hex'),
    note: bytes('page-note', '\n'),
  };
  assert.ok(decodePage(frames).ok);
  const context = peer.context({ after: 1, known: peer.known(2), knownFeedLength: 1 });
  const opened = openPage(frames, context);
  assert.ok(opened.ok, opened.ok ? '' : JSON.stringify(opened.error));
  assert.equal(factIdsOf(opened.value).length, 2);
  const verdict = judgePage(opened.value, new Map());
  assert.ok(verdict.kind === 'verified' && verdict.batch.accepted.length === 2);

  const empty = { header: bytes('page-empty'), entries: null, proof: null, note: bytes('page-empty-note', '\n') };
  const later = peer.context({ after: 3, known: peer.known(), knownFeedLength: 3, firstPage: false });
  assert.ok(openPage(empty, later).ok);
});

const section = (heading: string): string => {
  const start = page.indexOf(`## ${heading}\n`);
  assert.ok(start >= 0, heading);
  const end = page.indexOf('\n## ', start);
  return page.slice(start, end === -1 ? undefined : end);
};
const rows = (text: string): string[][] =>
  [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' |').map((cell) => cell.trim()));
const code = (cell = ''): string => /^`([^`]+)`/.exec(cell)?.[1] ?? '';

test('every reason is in the table of verdicts, with its penalty or event, and is named where it is checked', () => {
  const told = new Map(rows(section('Verdicts')).map((row) => [code(row[0]), row] as const));
  told.delete('');
  for (const [reason, penalty] of Object.entries(PENALTY)) assert.equal(told.get(reason)?.[2], penalty, reason);
  for (const [reason, event] of Object.entries(FACT_EVENT)) assert.equal(code(told.get(reason)?.[1]), event, reason);
  const known = [...Object.keys(PENALTY), ...Object.keys(FACT_EVENT)];
  assert.deepEqual([...told.keys()].sort(), known.sort());
  for (const reason of known)
    assert.ok(section('Checking a page').includes(`\`${reason}\``), `${reason} is not explained`);
});

/** The value of a number that a source file names, e.g. `const X = 16_384;` or `x: 1 << 20,`. */
function numberIn(file: string, name: string): number {
  const source = readFileSync(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  const found = new RegExp(`\\b${name}(?:: number)?(?: =|:) ([0-9_]+)(?: << ([0-9]+))?[;,]`).exec(source);
  assert.ok(found, `${file} has no number ${name}`);
  return Number(found[1]?.replaceAll('_', '')) * 2 ** Number(found[2] ?? 0);
}

test('every limit on the page has the value of the source', () => {
  const told = rows(section('Limits')).filter(([name = '']) => name.includes('.ts` `'));
  assert.ok(told.length > 60);
  for (const [limit = '', value = ''] of told) {
    const [file = '', name = ''] = [...limit.matchAll(/`([^`]+)`/g)].map(([, part]) => part ?? '');
    assert.equal(numberIn(file, name), Number(value), limit);
  }
  const names = told.map(([limit = '']) => limit.split('`')[3]);
  const { guard: _, ...transport } = DEFAULT_TRANSPORT_LIMITS;
  for (const name of Object.keys({ ...transport, ...DEFAULT_GUARD_LIMITS })) assert.ok(names.includes(name), name);
  const elsewhere = [
    'MAX_TREE_SIZE',
    'MAX_BODY_BYTES',
    'MAX_BATCH_FACTS',
    'REFUSAL_BUDGET_BYTES',
    'MAX_REFUSAL_GROUPS',
  ];
  for (const name of Object.keys(limits).filter((one) => !elsewhere.includes(one)))
    assert.ok(names.includes(name), name);
});

test('numbers in the text are those of the limits', () => {
  const said = (heading: string, text: string): void => assert.ok(section(heading).includes(text), text);
  said('pull', `| \`page_bytes\` | 1 to ${limits.MAX_PAGE_BYTES} |`);
  said('pull', `| \`page_entries\` | 1 to ${limits.MAX_PAGE_ENTRIES} |`);
  said('pull', `| \`pages\` | 1 to ${limits.MAX_PAGES_PER_PULL} |`);
  said('pull', `list of at most ${limits.MAX_FEEDS} `);
  said('pull', `at most ${limits.MAX_FRAME_BYTES / 32} |`);
  said('pull', `JSON, at most ${numberIn('wire/page-header.ts', 'MAX_HEADER_BYTES')} bytes`);
  said('relay', `at most ${numberIn('wire/page-header.ts', 'MAX_RELAY_HEADER_BYTES')} bytes`);
  said('relay', `at most ${limits.MAX_RELAY_PAGE_ENTRIES} entries`);
  said('hello', `Requests are at most ${limits.MAX_REQUEST_BYTES} bytes`);
  said('proof', `at most ${limits.MAX_PROOF_INDEXES} \`indexes\``);
  said('Checking a page', `at most ${limits.MAX_ENTRY_BYTES} bytes`);
  said('Checking a page', `\`value_v\` at most ${limits.MAX_VALUE_BYTES} bytes`);
  said('watch', `${numberIn('serve/answer-watch.ts', 'WATCH_HEARTBEAT_MS') / 1000} s after the last`);
  said('watch', `dead after ${numberIn('pull/watch-peer.ts', 'SILENCE_MS') / 1000} s`);
  said('Messages', `nesting at most ${limits.MAX_JSON_DEPTH}`);
});

test('every text that is signed or hashed under a name of its own is in the table of what is signed, and has that name alone', () => {
  const folder = new URL('../../../src/', import.meta.url);
  const named = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => readFileSync(new URL(path, folder), 'utf8').match(/stigmem-[a-z-]+\/v[0-9]/g) ?? []);
  const names = [...new Set(named)].sort();
  assert.ok(names.length > 20, names.join());
  const told = section('What is signed').match(/stigmem-[a-z-]+\/v[0-9]/g) ?? [];
  assert.deepEqual([...new Set(told)].sort(), names);
});

test('error codes, declaration codes, protocol ids, feeds', () => {
  const source = (file: string): string => readFileSync(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  const errors = /oneOf\(([^)]*)\)/.exec(source('wire/pull-end.ts'))?.[1] ?? '';
  const told = rows(section('pull')).map(([name]) => code(name));
  for (const [, error = ''] of errors.matchAll(/'([a-z_]+)'/g)) assert.ok(told.includes(error), error);
  for (const [, fault = ''] of source('pull/declare.ts').matchAll(/readonly code: '([a-z_]+)'/g))
    assert.ok(section('Trust').includes(`\`${fault}\``), fault);
  for (const id of PROTOCOLS) assert.ok(section('Messages').includes(`\`${id}\``), id);
  for (const refusal of COSIGN_REFUSALS) assert.ok(section('witness').includes(`\`${refusal}\``), refusal);
  assert.ok(isFeed('company/incident-42'));
});
