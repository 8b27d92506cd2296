import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isoMicros,
  isoOfInstant,
  parseIsoInstant,
  pythonIsoFormat,
  pythonIsoFormatOfMs,
} from '../../../src/core/time.ts';
import { isValidUntilExtension } from '../../../src/core/valid-until.ts';

test('microseconds: six digits always, and they read back', () => {
  assert.equal(isoMicros(1_767_225_601_000_001), '2026-01-01T00:00:01.000001+00:00');
  assert.equal(isoMicros(0), '1970-01-01T00:00:00.000000+00:00');
  assert.equal(pythonIsoFormat(1_767_225_601_000_000), '2026-01-01T00:00:01+00:00');
  assert.equal(pythonIsoFormatOfMs(253_402_300_799_999), '9999-12-31T23:59:59.999000+00:00');
  fc.assert(
    fc.property(fc.maxSafeNat(), (us) =>
      assert.deepEqual(parseIsoInstant(isoMicros(us)), { ok: true, value: BigInt(us) }),
    ),
  );
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 53]) assert.throws(() => isoMicros(bad), { code: 'out_of_range' });
});

/** Microseconds since 1970 as CPython 3.11.7 reads them; null: ValueError. */
const INSTANTS: [string, string | null][] = [
  ['2027-01-01', '1798761600000000'],
  ['20270101', '1798761600000000'],
  ['2027-W01-1', '1799020800000000'],
  ['2027W011T10', '1799056800000000'],
  ['2027-01-01T10:20:30,5', '1798798830500000'],
  ['2027-01-01 10:20', '1798798800000000'],
  ['2027-01-01\u{1f600}10:20', '1798798800000000'],
  ['2027-01-01T10:20:30.1234567Z', '1798798830123456'],
  ['2027-01-01T10:20:30+23:59', '1798712490000000'],
  ['2027-01-01T10:20:30+24:00', null],
  ['2027-01-01T10:20:30.+00:00', '1798798830000000'],
  ['2027-01-01T10:20:30+00:00:00.000001', '1798798830000000'],
  ['2027-01-01T', null],
  ['0001-01-01T00:00:00Z', '-62135596800000000'],
  ['9999-12-31', '253402214400000000'],
  ['2026-W53-7', '1798934400000000'],
  ['2027-W53-1', null],
  ['0000-01-01', null],
  ['2027-02-29', null],
  ['2028-02-29', '1835395200000000'],
  ['2027-01-01T24:00', null],
  ['2027-01-01T10:60', null],
  ['2027-1-1', null],
  ['2027-001', null],
  ['2027-01', null],
  ['2027-01-01t10:20:30z', null],
  ['٢027-01-01', null],
];
for (const [text, micros] of INSTANTS) {
  test(`instant ${text}`, () => {
    const result = parseIsoInstant(text);
    assert.equal(result.ok ? String(result.value) : null, micros);
  });
}

test('the one character that may stand before an offset is of one byte, as CPython reads it', () => {
  const isTime = (text: string): boolean => parseIsoInstant(text).ok;
  assert.ok(
    isTime('2026-01-01T10:20x+00:00') && isTime('2026-01-01é10:20') && isTime('2026-01-01T10:20:30.123456é+00:00'),
  );
  for (const text of [
    '2026-01-01T10é+00:00',
    '2026-01-01T10:20é+00:00',
    '2026-01-01T102030\u2028+00:00',
    '2026-01-01T10:20💩+00:00',
  ])
    assert.ok(!isTime(text), text);
});

test('reading a time never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => typeof parseIsoInstant(text).ok === 'boolean'),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9TWZ:.,+-]{7,35}$/), (text) => typeof parseIsoInstant(text).ok === 'boolean'),
  );
});

test('only a later end is an extension', () => {
  const check = (stored: string | null, incoming: string | null) => isValidUntilExtension(stored, incoming);
  assert.deepEqual(check(null, null), { ok: true, value: false });
  assert.deepEqual(check('2027-01-01T04:00:00+04:00', '2027-01-01'), { ok: true, value: false });
  assert.deepEqual(check('2027-01-01T04:00:00+04:00', '2027-01-01T00:00:00.000001Z'), { ok: true, value: true });
  assert.deepEqual(check('junk', null), { ok: true, value: true });
  assert.deepEqual(check('2027-01-01', 'junk'), { ok: false, error: 'time_malformed' });
});

test('isoOfInstant: every moment of four-digit years, to the microsecond', () => {
  assert.equal(isoOfInstant(0n), '1970-01-01T00:00:00.000000+00:00');
  assert.equal(isoOfInstant(9_814_262_400_000_001n), '2281-01-01T00:00:00.000001+00:00');
  assert.equal(isoOfInstant(253_402_300_799_999_999n), '9999-12-31T23:59:59.999999+00:00');
  for (const us of [-1n, 253_402_300_800_000_000n]) assert.throws(() => isoOfInstant(us), { code: 'out_of_range' });
});
