/** Where a report names what it was asked about: real reports of real machines, changed byte by byte. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkTeeBinding,
  formatTeeReport,
  parseTeeReport,
  type TeeBinding,
  type TeeReport,
  teeNonce,
} from '../../../src/merkle/tee-report.ts';

const sample = (name: string): Buffer => readFileSync(new URL(`../../vectors/tee/${name}`, import.meta.url));
const TDX = sample('tdx-quote-v4.bin');
const SNP = sample('snp-report-v2.bin');
/** As go-tdx-guest and go-sev-guest read them. */
const TDX_NONCE = Buffer.from(
  '6c62dec1b8191749a31dab490be532a35944dea47caef1f980863993d9899545eb7406a38d1eed313b987a467dacead6f0c87a6d766c66f6f29f8acb281f1113',
  'hex',
);
const SNP_NONCE = Buffer.concat([Buffer.from([1, 2, 3, 4, 5]), Buffer.alloc(59)]);
const NOTE = 'acme.example/journal/00000000000000aa\n5\n7vJQpH/B7iPWBI93xAqXPgXGw88T5G2WX1pVkCPHpz8=\n\n— k AAAAAAA=\n';

const check = (provider: string, outblob: Uint8Array, nonce: Uint8Array): TeeBinding =>
  checkTeeBinding({ provider, outblob, auxblob: null, manifestblob: null }, nonce);

/** No public sample of version 5 is known: the header and body of the real one, with the descriptor between them. */
function versionFive(type: number): Buffer {
  const header = Buffer.from(TDX.subarray(0, 48));
  header.writeUInt16LE(5, 0);
  const size = type === 2 ? 584 : 648;
  const descriptor = Buffer.alloc(6);
  descriptor.writeUInt16LE(type, 0);
  descriptor.writeUInt32LE(size, 2);
  return Buffer.concat([header, descriptor, TDX.subarray(48, 632), Buffer.alloc(size - 584), TDX.subarray(632)]);
}

const KNOWN = [
  { name: 'TDX, version 4', provider: 'tdx_guest', report: TDX, nonce: TDX_NONCE, at: 568, least: 632 },
  {
    name: 'TDX, version 5, TD 1.0',
    provider: 'tdx_guest',
    report: versionFive(2),
    nonce: TDX_NONCE,
    at: 574,
    least: 638,
  },
  {
    name: 'TDX, version 5, TD 1.5',
    provider: 'tdx_guest',
    report: versionFive(3),
    nonce: TDX_NONCE,
    at: 574,
    least: 702,
  },
  { name: 'SEV-SNP, version 2', provider: 'sev_guest', report: SNP, nonce: SNP_NONCE, at: 0x50, least: 1_184 },
];

for (const { name, provider, report, nonce, at, least } of KNOWN)
  test(`${name}: bound to the 64 bytes that it names, and to no others`, () => {
    assert.equal(check(provider, report, nonce), 'bound');
    for (let i = 0; i < 64; i++) {
      const changed = Buffer.from(report);
      changed[at + i] = (changed[at + i] ?? 0) ^ 1;
      assert.equal(check(provider, changed, nonce), 'other_nonce', `byte ${at + i}`);
    }
    for (const beside of [at - 1, at + 64]) {
      const changed = Buffer.from(report);
      changed[beside] = (changed[beside] ?? 0) ^ 1;
      assert.equal(check(provider, changed, nonce), 'bound', `byte ${beside} is no part of it`);
    }
    assert.equal(check(provider, report.subarray(0, least), nonce), 'bound');
    assert.equal(check(provider, report.subarray(0, least - 1), nonce), 'too_short');
    assert.equal(check(provider, new Uint8Array(0), nonce), 'too_short');
  });

test('a form that is not known is said not to be checked, never bound', () => {
  assert.equal(check('arm_cca_guest', TDX, TDX_NONCE), 'not_checked');
  const changed = (from: Buffer, at: number, to: number): Buffer => {
    const copy = Buffer.from(from);
    copy[at] = to;
    return copy;
  };
  assert.equal(check('tdx_guest', changed(TDX, 0, 6), TDX_NONCE), 'not_checked', 'another version');
  assert.equal(check('tdx_guest', changed(TDX, 4, 0), TDX_NONCE), 'not_checked', 'SGX');
  assert.equal(check('tdx_guest', changed(versionFive(2), 48, 4), TDX_NONCE), 'not_checked', 'another body');
  assert.equal(check('tdx_guest', changed(versionFive(2), 50, 1), TDX_NONCE), 'not_checked', 'another size');
  assert.equal(check('sev_guest', changed(SNP, 0, 99), SNP_NONCE), 'not_checked', 'another version');
});

test('whatever the bytes are, there is an answer', () => {
  const provider = fc.constantFrom('tdx_guest', 'sev_guest', 'other');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 1_300 }),
    fc.nat(1_200).map((end) => TDX.subarray(0, end)),
  );
  fc.assert(
    fc.property(provider, bytes, (name, outblob) => {
      assert.match(check(name, outblob, teeNonce(NOTE)), /^(other_nonce|too_short|not_checked)$/);
    }),
  );
});

test('the nonce is SHA-512 over every byte of the note', () => {
  assert.deepEqual(teeNonce(NOTE), createHash('sha512').update(Buffer.from(NOTE, 'utf8')).digest());
  assert.notDeepEqual(teeNonce(NOTE), teeNonce(NOTE.trimEnd()));
});

test('the text of a report reads back, and nothing else reads as one', () => {
  const report: TeeReport = { checkpoint: NOTE, provider: 'sev_guest', outblob: SNP, auxblob: TDX, manifestblob: null };
  const text = formatTeeReport(report);
  const parsed = parseTeeReport(text);
  assert.ok(parsed.ok);
  assert.equal(formatTeeReport(parsed.value), text);
  const spaced = JSON.stringify(JSON.parse(text), null, 2);
  assert.ok(parseTeeReport(spaced).ok, 'as jq writes it');
  const changes: Record<string, unknown>[] = [
    { kind: 'other' },
    { v: 2 },
    { outblob: null },
    { outblob: 'AAA' },
    { auxblob: 1 },
    { checkpoint: 'no note' },
    { provider: 'x'.repeat(65) },
    { more: 1 },
  ];
  for (const change of changes)
    assert.ok(!parseTeeReport(JSON.stringify({ ...JSON.parse(text), ...change })).ok, JSON.stringify(change));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (other) => assert.ok(!parseTeeReport(other).ok)));
});
