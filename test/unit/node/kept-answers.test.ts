import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptAnswers } from '../../../src/node/kept-answers.ts';

test('an answer is made once a minute, of one thing, and a failure is not kept', async () => {
  let nowMs = 0;
  let fails = false;
  const made: string[] = [];
  const make = async (key: string): Promise<number> => {
    made.push(key);
    if (fails) throw new Error('busy');
    return made.length;
  };
  const answers = new KeptAnswers(60_000, make, () => nowMs);
  assert.deepEqual(await Promise.all([answers.get('a'), answers.get('a')]), [1, 1]);
  nowMs = 59_999;
  assert.equal(await answers.get('a'), 1);
  nowMs = 60_000;
  assert.deepEqual([await answers.get('a'), await answers.get('b')], [2, 3]);
  fails = true;
  await assert.rejects(answers.get('a'), /busy/);
  fails = false;
  assert.equal(await answers.get('a'), 5);
});
