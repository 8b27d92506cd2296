import assert from 'node:assert/strict';
import { isValidUntilExtension } from '../../src/core/valid-until.ts';
import { runVectors } from './run-vectors.ts';

interface Extension {
  stored: string | null;
  incoming: string | null;
  expected: boolean | { error: string };
}

runVectors('valid-until', {
  extension({ stored, incoming, expected }: Extension) {
    const result = isValidUntilExtension(stored, incoming);
    if (typeof expected === 'object') return assert.equal(result.ok, false);
    assert.deepEqual(result, { ok: true, value: expected });
  },
});
