import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  issuerFault,
  keyActor,
  namesPerson,
  personActor,
  personText,
  readName,
  readPerson,
  readSubject,
  tellApart,
} from '../../../src/core/person.ts';

const ISSUER = 'https://idp.acme.example';
const ANN = { issuer: ISSUER, subject: '24828' };
const BOB = { issuer: ISSUER, subject: '24829' };
const key = (name: string, id: string, person: string | null = null): string => keyActor({ name, id, person });

test('keys that name nobody are one when id or name is the same', () => {
  assert.equal(tellApart(key('ann', '1a2b3c4d'), key('ann', '1a2b3c4d')), 'same');
  assert.equal(tellApart(key('ann', '1a2b3c4d'), key('ann', '00000000')), 'same', 'one follows the other');
  assert.equal(tellApart(key('ann', '1a2b3c4d'), key('bob', '1a2b3c4d')), 'same', 'one key under two names');
  assert.equal(tellApart(key('ann', '1a2b3c4d'), key('bob', '00000000')), 'different');
  assert.equal(tellApart('operator', 'agent:operator'), 'different');
  assert.equal(tellApart('operator', 'operator'), 'same');
});

test('a person is issuer and subject, whatever the name, signed in or by a key', () => {
  const ann = personActor(ANN, 'Ann');
  assert.equal(tellApart(ann, personActor(ANN, 'Somebody else')), 'same');
  assert.equal(tellApart(ann, personActor(BOB, 'Ann')), 'different', 'a name is no identity');
  const bound = key('ann-cli', '1a2b3c4d', personText(ANN));
  const elsewhere = { issuer: 'https://idp.other.example', subject: BOB.subject };
  for (const other of [personActor(elsewhere, 'Ann'), key('bob-cli', '00000000', personText(elsewhere))])
    for (const actor of [ann, bound])
      assert.equal(tellApart(actor, other), 'unknown', 'one human may have an account at both');
  assert.equal(tellApart(ann, personActor({ ...ANN, issuer: `${ISSUER}/` }, 'Ann')), 'unknown');
  assert.equal(tellApart(ann, bound), 'same');
  assert.equal(tellApart(bound, key('ann-laptop', '00000000', personText(ANN))), 'same', 'two keys of one person');
  assert.equal(tellApart(bound, key('bob-cli', '00000000', personText(BOB))), 'different');
  assert.equal(tellApart(bound, key('ann-cli', '00000000', personText(BOB))), 'same', 'one key after the other');
});

test('a person and a key that names nobody cannot be told apart', () => {
  for (const person of [personActor(ANN, 'Ann'), key('ann-cli', '1a2b3c4d', personText(ANN))]) {
    assert.equal(tellApart(person, key('bob', '00000000')), 'unknown');
    assert.equal(tellApart(key('bob', '00000000'), person), 'unknown');
  }
  assert.deepEqual([personActor(ANN, 'A'), key('a', '0', personText(ANN)), key('a', '0'), 'system'].map(namesPerson), [
    true,
    true,
    false,
    false,
  ]);
});

test('two subjects never have one text, and an actor is never cut', () => {
  const subject = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 255 })
    .filter((s) => readSubject(s) !== null);
  fc.assert(
    fc.property(subject, subject, fc.string({ unit: 'grapheme', maxLength: 100 }), (a, b, claim) => {
      const [one, other] = [a, b].map((of) => ({ issuer: `https://${'i'.repeat(142)}`, subject: of }));
      assert.ok(one !== undefined && other !== undefined);
      assert.deepEqual(readPerson(personText(one)), one);
      assert.equal(personText(one) === personText(other), a === b);
      const actor = personActor(one, readName(claim) ?? 'x');
      assert.ok(actor.length <= 512);
      assert.equal(tellApart(actor, personActor(other, 'y')), a === b ? 'same' : 'different');
    }),
  );
});

test('what is no subject, issuer or person of ours names nobody', () => {
  for (const claim of [undefined, null, 7, '', 'ü', 'a\nb', 'x'.repeat(256), '#'.repeat(100), {}])
    assert.equal(readSubject(claim), null);
  for (const text of [
    '',
    'ftp://a.example',
    'https://a.example?q',
    'https://a.example#f',
    'https://u:p@a.example',
    `https://${'i'.repeat(200)}`,
  ])
    assert.notEqual(issuerFault(text), null, text);
  for (const text of ['', ISSUER, `${ISSUER}#`, '#1', `${ISSUER}#a#b`, `${ISSUER}#a b`, `${ISSUER}#%41`, 'nonsense#1'])
    assert.equal(readPerson(text), null, text);
  assert.deepEqual(readPerson(`${ISSUER}#a%23b`), { issuer: ISSUER, subject: 'a#b' });
});

test('a name is letters and a few signs', () => {
  assert.equal(readName('Zoë O’Neil'), 'Zoë O Neil');
  assert.equal(readName('ann@acme.example'), 'ann@acme.example');
  assert.equal(readName('<script>alert(1)</script>'), 'script alert 1 script');
  assert.equal(readName('\u202eexe.\u001b[2Jx\ny#agent:admin'), 'exe. 2Jx y agent admin');
  assert.equal(readName('ann\u3164\u034f\u17b5bob'), 'ann bob');
  assert.equal([...(readName('x'.repeat(500)) ?? '')].length, 48);
  for (const claim of [
    undefined,
    7,
    '',
    ' ',
    '\u200b',
    '\u3164',
    '\u115f\uffa0',
    '\u034f\ufe0f',
    '\u{e0061}',
    '###',
    ['ann'],
  ])
    assert.equal(readName(claim), null);
});
