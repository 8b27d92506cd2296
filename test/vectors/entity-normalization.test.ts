import assert from 'node:assert/strict';
import { isInformal, normalizeEntity } from '../../src/core/entity.ts';
import { runVectors } from './run-vectors.ts';

interface Normalization {
  raw: string;
  expected: { normalized: string; error?: string; idempotent: boolean; is_informal_raw: boolean };
}

runVectors('entity-normalization', {
  default({ raw, expected }: Normalization) {
    assert.equal(isInformal(raw), expected.is_informal_raw);
    const normal = normalizeEntity(raw);
    if (expected.error !== undefined) return assert.equal(normal.ok, false);
    assert.ok(normal.ok);
    assert.equal(normal.value, expected.normalized);
    const again = normalizeEntity(normal.value);
    assert.equal(again.ok && again.value === normal.value, expected.idempotent);
  },
});
