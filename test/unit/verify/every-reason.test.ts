import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACT_EVENT, PENALTY } from '../../../src/core/verdict.ts';
import { FACT_CASES, PAGE_CASES, QUARANTINE_CASES } from './reason-cases.ts';

test('every reason for a whole page has a case', () => {
  assert.deepEqual(Object.keys(PAGE_CASES).sort(), Object.keys(PENALTY).sort());
  for (const [reason, cases] of Object.entries(PAGE_CASES)) assert.notEqual(Object.keys(cases).length, 0, reason);
});

test('every reason for one fact, and every reason to quarantine it, has a case', () => {
  assert.deepEqual(
    [...Object.keys(FACT_CASES), ...Object.keys(QUARANTINE_CASES)].sort(),
    Object.keys(FACT_EVENT).sort(),
  );
});
