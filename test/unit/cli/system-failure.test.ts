import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXITS } from '../../../src/cli/exit.ts';
import { systemFailure } from '../../../src/cli/system-failure.ts';

const failed = (code: string): Error => Object.assign(new Error('said by the system'), { code });

for (const [code, exit, words] of [
  ['ENOSPC', 1, /^the disk is full: said by the system$/],
  ['SQLITE_FULL', 1, /^the disk is full/],
  ['SQLITE_CORRUPT', 4, /^the journal cannot be read/],
  ['SQLITE_CORRUPT_INDEX', 4, /^the journal cannot be read/],
  ['SQLITE_NOTADB', 4, /^the journal cannot be read/],
  ['SQLITE_IOERR_SHMSIZE', 1, /^the disk is full, or fails/],
  ['EROFS', 1, /^the file system is read-only/],
] as const) {
  test(`${code} is told in words, with what to do`, () => {
    const failure = systemFailure(failed(code));
    assert.ok(failure !== null);
    assert.equal(EXITS[failure.exit].code, exit);
    assert.match(failure.message, words);
    assert.ok(failure.fix !== null && failure.fix.length > 10);
    assert.equal(failure.code, code);
  });
}

test('a folder that cannot be made is told as one', () => {
  const failure = systemFailure(Object.assign(failed('ENOENT'), { syscall: 'mkdir' }));
  assert.match(failure?.message ?? '', /^no folder can be there/);
  assert.equal(systemFailure(Object.assign(failed('ENOENT'), { syscall: 'open' })), null);
});

test('a fault of SQLite is known without its code', () => {
  const failure = systemFailure(new Error('database disk image is malformed'));
  assert.deepEqual([failure?.exit, failure?.code], ['integrity', 'integrity']);
});

test('what is known to nobody is left to others', () => {
  assert.equal(systemFailure(failed('toString')), null);
  assert.equal(systemFailure(new Error('no code')), null);
});
