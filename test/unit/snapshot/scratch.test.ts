/** What a killed check of a snapshot has left goes at the next one; what another check works in stays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openScratch } from '../../../src/snapshot/scratch.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';

const DAY_S = 86_400;

test('leftovers of processes that are gone, of a process with our number, and old ones without a number', async (t) => {
  const parent = temporaryFolder(t);
  const gone = spawnSync('true').pid;
  const left = (name: string): string => {
    mkdirSync(join(parent, name));
    writeFileSync(join(parent, name, 'journal.db'), 'an erased body');
    return name;
  };
  const stays = [left(`.restore-${process.ppid}-AbCdEf`), left('.restore-yOunG1'), left('mine')];
  left(`.restore-${gone}-AbCdEf`);
  left(`.restore-${process.pid}-AbCdEf`);
  left('.restore-oLd123');
  const beforeS = Date.now() / 1_000 - 2 * DAY_S;
  utimesSync(join(parent, '.restore-oLd123'), beforeS, beforeS);
  const check = async (): Promise<string> => {
    await using one = await openScratch(parent, Date.now());
    await using two = await openScratch(parent, Date.now());
    assert.ok(existsSync(one.path), 'another check of this process goes on');
    assert.ok(existsSync(two.path));
    return one.path;
  };
  assert.equal(existsSync(await check()), false);
  assert.deepEqual(readdirSync(parent).sort(), stays.sort());
});
