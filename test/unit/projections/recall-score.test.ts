/** Ranks and budgets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packBudget, scoreFact, tokenEstimate } from '../../../src/projections/recall-score.ts';
import { termsOf } from '../../../src/projections/recall-words.ts';

const NOW = 1_800_000_000_000_000n;
const WEIGHTS = { lexical: 0.35, recency: 0.05 };
const FACT = {
  entity: 'stigmem://acme.example/service/billing',
  relation: 'ops:owner',
  value_v: 'Ada',
  source: 's',
  timestamp: '2026-01-01T00:00:00.000000+00:00',
  confidence: '1.0',
};

function score(fact: Partial<typeof FACT>, query: string) {
  const terms = termsOf(query).map((term) => ({ ...term, rarity: 1 }));
  return scoreFact({ ...FACT, ...fact }, terms, WEIGHTS, NOW);
}

test('the budget is never passed, nothing that fits behind it is left out, and order is kept', () => {
  const facts = fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 50 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(facts, fc.integer({ min: 1, max: 400 }), (ranked, budget) => {
      const { taken, used, truncated } = packBudget(ranked, budget);
      assert.equal(
        used,
        taken.reduce((sum, { tokens }) => sum + tokens, 0),
      );
      assert.ok(used <= budget);
      assert.equal(truncated, taken.length < ranked.length);
      const left = ranked.filter((one) => !taken.includes(one));
      assert.ok(left.every(({ tokens }) => tokens > budget - used || left.length === 0));
      assert.deepEqual(
        taken,
        ranked.filter((one) => taken.includes(one)),
      );
    }),
  );
});

test('tokens are a quarter of the code points of "entity relation value source", at least one', () => {
  assert.equal(tokenEstimate({ entity: 'a', relation: 'b', value_v: 'c', source: 'd' }), 1);
  assert.equal(tokenEstimate({ entity: '', relation: '', value_v: '', source: '' }), 1);
  assert.equal(tokenEstimate({ entity: 'ab', relation: 'cd', value_v: '😀😀😀', source: 'ef' }), 3);
});

test('parts of a score lie between 0 and 1', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(text, text, (value_v, query) => {
      const { lexical, recency, weightedTotal, score: total } = score({ value_v }, `${query} billing`);
      for (const part of [lexical, recency, weightedTotal, total]) assert.ok(part >= 0 && part <= 1);
    }),
  );
});

test('more of the words, a shorter text, a newer time and a higher confidence rank higher', () => {
  assert.ok(score({}, 'billing owner').score > score({ relation: 'ops:state' }, 'billing owner').score);
  assert.ok(score({}, 'billing').score > score({ value_v: 'and more words '.repeat(200) }, 'billing').score);
  assert.ok(score({}, 'billing').score > score({ timestamp: '2020-01-01T00:00:00.000000+00:00' }, 'billing').score);
  assert.ok(score({}, 'billing').score > score({ confidence: '0.5' }, 'billing').score);
});
