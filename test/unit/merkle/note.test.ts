import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  ed25519Verifier,
  formatNote,
  isKeyName,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  noteKeyId,
  parseNote,
  signEd25519,
  verifyNote,
} from '../../../src/merkle/note.ts';
import { turned } from './slow-tree.ts';

const TEXT = 'log.example\n5\nroot\n';
const signer = createLogSigner('log.example', Buffer.alloc(32, 1));
const other = createLogSigner('other.example', Buffer.alloc(32, 2));
const verifier = ed25519Verifier('log.example', signer.publicKey);
const line = signEd25519(TEXT, signer);
const note = formatNote({ text: TEXT, signatures: [line] });

/** The code of the refusal, or ok. */
function codeOf(text: string | Uint8Array): string {
  const parsed = parseNote(text);
  return parsed.ok ? 'ok' : parsed.error;
}

function verdict(signatures: readonly NoteSignature[], text = TEXT): string {
  const verified = verifyNote({ text, signatures }, [verifier]);
  return verified.ok ? `${verified.value.length} ok` : verified.error;
}

test('a note is read back as it was written, from text and from bytes', () => {
  const read = { ok: true, value: { text: TEXT, signatures: [line] } };
  assert.deepEqual(parseNote(note), read);
  assert.deepEqual(parseNote(Buffer.from(note)), read);
  assert.equal(note, `${TEXT}\n— log.example ${note.split(' ').at(-1)}`);
});

test('any note that is accepted is written back with the same bytes', () => {
  const signatures = fc.array(
    fc
      .tuple(
        fc.string({ minLength: 1, maxLength: 8 }).filter(isKeyName),
        fc.nat(0xffffffff),
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
      )
      .map(([name, keyId, bytes]) => ({ name, keyId, signature: Buffer.from(bytes) })),
    { minLength: 1, maxLength: 20 },
  );
  const texts = fc.array(fc.constantFrom('line', '', '— log.example x', 'é'), { minLength: 1 });
  fc.assert(
    fc.property(texts, signatures, (lines, signed) => {
      const value = { text: `${lines.join('\n')}\n`, signatures: signed };
      assert.deepEqual(parseNote(formatNote(value)), { ok: true, value });
    }),
  );
});

test('reading never throws, and one bit turned never gives another spelling of the same note', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array()), (any) => assert.equal(typeof codeOf(any), 'string')));
  const bytes = Buffer.from(note);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const parsed = parseNote(turned(bytes, bit));
    if (!parsed.ok) continue;
    assert.deepEqual(Buffer.from(formatNote(parsed.value)), turned(bytes, bit));
    assert.equal(verifyNote(parsed.value, [verifier]).ok, false);
  }
});

test('the text ends at the last blank line', () => {
  const text = 'one\n\ntwo\n\n\n';
  const signed = formatNote({ text, signatures: [signEd25519(text, signer)] });
  const parsed = parseNote(signed);
  assert.equal(parsed.ok && parsed.value.text, text);
  assert.equal(parsed.ok && verifyNote(parsed.value, [verifier]).ok, true);
  // the blank line more is part of the signed text, so the old signature does not fit
  const stretched = parseNote(note.replace('\n\n', '\n\n\n'));
  assert.equal(stretched.ok && stretched.value.text, `${TEXT}\n`);
  assert.equal(stretched.ok && verdict(stretched.value.signatures, stretched.value.text), 'signature_invalid');
});

test('what is no note is refused with its reason', () => {
  const base64 = note.slice(note.lastIndexOf(' ') + 1, -1);
  const withLine = (text: string) => `${TEXT}\n${text}`;
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['nothing', '', 'note_without_signature'],
    ['no blank line', note.replace('\n\n', '\n'), 'note_without_signature'],
    ['no signature', `${TEXT}\n`, 'note_without_signature'],
    ['no final newline', note.slice(0, -1), 'note_signature_malformed'],
    ['a blank line behind', `${note}\n`, 'note_without_signature'],
    ['trailing data', `${note}more\n`, 'note_signature_malformed'],
    ['trailing data without newline', `${note}more`, 'note_signature_malformed'],
    ['CR', note.replaceAll('\n', '\r\n'), 'note_control_character'],
    ['tab in the text', note.replace('5', '\t'), 'note_control_character'],
    ['NUL in the text', note.replace('5', '\u0000'), 'note_control_character'],
    ['escape in the text', note.replace('5', '\u001b'), 'note_control_character'],
    ['hyphen for the dash', note.replace('—', '-'), 'note_signature_malformed'],
    ['no dash', note.replace('— ', ''), 'note_signature_malformed'],
    ['two spaces', note.replace('— ', '—  '), 'note_signature_malformed'],
    ['space at the end', withLine(`— log.example ${base64} \n`), 'note_signature_malformed'],
    ['space before', withLine(` — log.example ${base64}\n`), 'note_signature_malformed'],
    ['a name with a space', withLine(`— log example ${base64}\n`), 'note_signature_malformed'],
    ['a name with a no-break space', withLine(`— log\u00a0example ${base64}\n`), 'note_signature_malformed'],
    ['a name with an ideographic space', withLine(`— log\u3000example ${base64}\n`), 'note_signature_malformed'],
    ['a name with a plus', withLine(`— log+example ${base64}\n`), 'note_signature_malformed'],
    ['no name', withLine(`—  ${base64}\n`), 'note_signature_malformed'],
    ['no base64', withLine('— log.example \n'), 'note_signature_malformed'],
    ['only a name', withLine('— log.example\n'), 'note_signature_malformed'],
    ['base64 without padding', note.replace(/=+\n$/, '\n'), 'note_signature_malformed'],
    ['too much padding', withLine(`— log.example ${base64}=\n`), 'note_signature_malformed'],
    ['url-safe base64', withLine('— log.example -_-_-_-_\n'), 'note_signature_malformed'],
    ['bits set behind the end', withLine('— log.example AAAAAAB=\n'), 'note_signature_malformed'],
    ['not base64', withLine('— log.example ????????\n'), 'note_signature_malformed'],
    ['key id alone', withLine('— log.example AAAAAA==\n'), 'note_signature_malformed'],
    ['three bytes', withLine('— log.example AAAA\n'), 'note_signature_malformed'],
    ['a bad line behind a good one', `${note}— log.example AAAA\n`, 'note_signature_malformed'],
    ['not UTF-8', Buffer.concat([Buffer.of(0xff), Buffer.from(note)]), 'note_not_utf8'],
    ['overlong UTF-8', Buffer.concat([Buffer.of(0xc0, 0x8a), Buffer.from(note)]), 'note_not_utf8'],
    ['lone surrogate', `\ud800${note}`, 'note_not_utf8'],
    ['too large', `${'x'.repeat(MAX_NOTE_BYTES)}\n${note}`, 'note_too_large'],
    ['too large in UTF-8 alone', `${'é'.repeat(MAX_NOTE_BYTES / 2)}\n${note}`, 'note_too_large'],
    ['too many signatures', note + note.slice(TEXT.length + 1).repeat(MAX_NOTE_SIGNATURES), 'note_too_many_signatures'],
  ];
  for (const [name, text, expected] of cases) assert.equal(codeOf(text), expected, name);
});

test('a byte order mark is text, not a hint', () => {
  const parsed = parseNote(Buffer.from(`\ufeff${note}`));
  assert.equal(parsed.ok && parsed.value.text, `\ufeff${TEXT}`);
});

test('sixteen signatures of post-quantum size, and as many as the limit, are taken', () => {
  const large = { name: 'w.example', keyId: 1, signature: Buffer.alloc(5000, 1) };
  assert.equal(codeOf(formatNote({ text: TEXT, signatures: Array.from({ length: 16 }, () => large) })), 'ok');
  assert.equal(codeOf(note + note.slice(TEXT.length + 1).repeat(MAX_NOTE_SIGNATURES - 1)), 'ok');
});

test('a known key must have signed, and every one of its signatures must be good', () => {
  const bad = { ...line, signature: turned(line.signature) };
  const unknown = signEd25519(TEXT, other);
  assert.equal(verdict([line]), '1 ok');
  assert.equal(verdict([unknown, line, unknown]), '1 ok');
  assert.equal(verdict([line, line]), '2 ok');
  assert.equal(verdict([unknown]), 'no_known_signature');
  assert.equal(verdict([bad]), 'signature_invalid');
  assert.equal(verdict([line, bad]), 'signature_invalid');
  assert.equal(verdict([bad, line]), 'signature_invalid');
  assert.equal(verdict([{ ...line, signature: line.signature.subarray(1) }]), 'signature_invalid');
  assert.equal(verdict([line], `${TEXT}more\n`), 'signature_invalid');
});

test('a signature under another name or key id is that of an unknown key', () => {
  assert.equal(verdict([{ ...line, keyId: (line.keyId + 1) % 2 ** 32 }]), 'no_known_signature');
  assert.equal(verdict([{ ...line, name: 'log.example2' }]), 'no_known_signature');
  const stranger = { name: 'log.example', keyId: 7, signature: Buffer.alloc(64) };
  assert.equal(verdict([stranger, line]), '1 ok');
});

test('keys that share name and key id are told apart by their signatures', () => {
  const twin = { ...ed25519Verifier('log.example', other.publicKey), keyId: verifier.keyId };
  assert.equal(verifyNote({ text: TEXT, signatures: [line] }, [twin, verifier]).ok, true);
  assert.equal(verifyNote({ text: TEXT, signatures: [line] }, [twin]).ok, false);
});

test('the key id is bound to name, algorithm and key', () => {
  const ids = [
    noteKeyId('log.example', 1, signer.publicKey),
    noteKeyId('log.example', 4, signer.publicKey),
    noteKeyId('log.exampl', 1, signer.publicKey),
    noteKeyId('log.example', 1, other.publicKey),
  ];
  assert.equal(new Set(ids).size, 4);
});

test('nothing that a reader would refuse is written', () => {
  const write = (text: string, signatures: readonly NoteSignature[] = [line]) => formatNote({ text, signatures });
  for (const text of ['', 'no newline', 'CR\r\n', '\ud800\n']) assert.throws(() => write(text), RangeError);
  assert.throws(() => write(TEXT, []), RangeError);
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0000', '\ud800']) {
    assert.equal(isKeyName(name), false);
    assert.throws(() => write(TEXT, [{ ...line, name }]), RangeError);
  }
});
