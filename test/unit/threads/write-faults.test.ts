import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriteFaults } from '../../../src/threads/write-faults.ts';

const FULL = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });

test('a full disk is noticed by whichever call meets it, and over when a write goes through', async () => {
  const faults = new WriteFaults();
  const watched = async (method: string, error?: Error): Promise<string | null> => {
    const call = error === undefined ? Promise.resolve() : Promise.reject(error);
    faults.watch(method, call);
    await call.catch(() => undefined);
    await Promise.resolve();
    return faults.fault;
  };
  assert.equal(await watched('changeCase', FULL), FULL.message);
  assert.equal(await watched('stats'), FULL.message, 'who reads shows nothing');
  assert.equal(await watched('audit'), null);
  assert.equal(await watched('audit', new Error('it is no fault of the disk')), null);
});
