/** `sink`: tables and sentences, a check without a node, and what is said when there is none of that name. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { formatEvent } from '../../../src/siem/format.ts';
import { siemEventOf } from '../../../src/siem/siem-event.ts';
import { EMPTY_FOLD, foldRecord, signExportDigest } from '../../../src/wire/export-digest.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';
import { auditLine, auditLines, NODE } from '../../support/siem-events.ts';

let cli: CliFixture;
let folder: string;
beforeEach(async () => {
  cli = await createCliFixture();
  folder = mkdtempSync(join(tmpdir(), 'peerd-sink-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await cli.close();
});

const SIGNER = createLogSigner('acme.example/journal/00000000000000aa', Buffer.alloc(32, 1));
const VKEY = formatVerifierKey({ name: SIGNER.name, algorithm: ALG_ED25519, publicKey: SIGNER.publicKey });

/** Nine records and the digest over them, as a sink has them. */
function lines(format: 'record' | 'ocsf' | 'ecs'): string[] {
  const events = auditLines(9).map((line) => siemEventOf(line, NODE));
  const digest = events.reduce((fold, { seq, hash }) => foldRecord(fold, seq, hash), EMPTY_FOLD);
  const head = events.at(-1)?.hash ?? '';
  const sinks = [{ sink: 'siem', count: 9, digest }];
  const note = signExportDigest(
    { nodeId: NODE.nodeId, first: 1, last: 9, head, root: Buffer.alloc(32), sinks },
    SIGNER,
  );
  const detail = { first: 1, last: 9, note: note.trimEnd().split('\n') };
  const last = siemEventOf(
    auditLine({ seq: 10, event: 'export_digest', reason: null, peer: null, previous_hash: head, detail }),
    NODE,
  );
  return [...events, last].map((event) => formatEvent(event, format, false).text);
}

async function verify(text: readonly string[], sink = 'siem'): Promise<{ code: number; stdout: string }> {
  const file = join(folder, 'lines.jsonl');
  writeFileSync(file, `${text.join('\n')}\n`);
  return cli.runBare(['sink', 'verify-digests', file, '--sink', sink, '--log-key', VKEY]);
}

for (const format of ['record', 'ocsf', 'ecs'] as const)
  test(`verify-digests over ${format}: whole, one missing, one twice, one that differs`, async () => {
    const whole = lines(format);
    const good = await verify(whole);
    assert.equal(good.code, 0, good.stdout);
    assert.match(good.stdout, /^whole: 10 records; 1 digest vouches for records 1 to 9; 1 behind the newest digest/);
    const bare = /; of 10 only sequence and hash are vouched for, not what else their lines say/;
    if (format === 'record') assert.doesNotMatch(good.stdout, bare);
    else assert.match(good.stdout, bare);
    assert.equal((await verify([...whole].reverse())).code, 0, 'in any order');
    const twice = await verify([...whole, whole[3] ?? '']);
    assert.match(twice.stdout, /^whole: 10 records, 1 came twice/);
    const missing = await verify(whole.toSpliced(3, 1));
    assert.equal(missing.code, 4);
    assert.match(missing.stdout, /records_missing: .*9 were to be sent and 8 are there; missing: 4/);
    const other = (whole[3] ?? '').replace(
      /sha256:[0-9a-f]{8}(?=[0-9a-f]{56}","(?:severity|previous_hash|kind))/g,
      'sha256:00000000',
    );
    const differs = await verify(whole.with(3, other));
    assert.equal(differs.code, 4, differs.stdout);
    assert.equal((await verify(whole, 'other')).code, 4, 'of another sink nothing is said');
    assert.equal((await verify(whole.slice(0, 9))).code, 4, 'without a digest nothing is vouched for');
  });

test('behind the newest digest a record that was put in the place of another does not fit into the chain', async () => {
  const whole = lines('record');
  const forged = siemEventOf(auditLine({ seq: 10, previous_hash: `sha256:${'00'.repeat(32)}` }), NODE);
  const found = await verify([...whole, formatEvent({ ...forged, seq: 10 }, 'record', false).text]);
  assert.match(found.stdout, /record_conflicting/);
  const next = siemEventOf(auditLine({ seq: 11, previous_hash: forged.hash }), NODE);
  const broken = await verify([...whole, formatEvent(next, 'record', false).text]);
  assert.equal(broken.code, 4, broken.stdout);
  assert.match(broken.stdout, /chain_broken: record 11 names another record before it than 10 as it is here/);
});

test('lines that are no events, keys that are none, files that are not there', async () => {
  const { code, stdout } = await verify([
    '{"nonsense":1}',
    'no JSON',
    canonicalJson({ record: { a: 1 }, sequence: 1, hash: 'x' }),
  ]);
  assert.equal(code, 4);
  assert.equal(stdout.match(/line_malformed/g)?.length, 3);
  const wrongKey = await cli.runBare(['sink', 'verify-digests', 'x', '--sink', 'siem', '--log-key', 'nonsense']);
  assert.equal(wrongKey.code, 2);
  const noFile = await cli.runBare([
    'sink',
    'verify-digests',
    join(folder, 'none'),
    '--sink',
    'siem',
    '--log-key',
    VKEY,
  ]);
  assert.equal(noFile.code, 2);
});

test('without sinks', async () => {
  assert.match((await cli.run('sink list')).stdout, /^No sinks: see \[\[sink\]\]/);
  const shown = await cli.run('sink show siem');
  assert.equal(shown.code, 1);
  assert.match(shown.stderr, /expected the name of a sink, got siem/);
  assert.equal((await cli.run('sink test siem')).code, 2, 'a reason is needed');
});
