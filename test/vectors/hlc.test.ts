import assert from 'node:assert/strict';
import {
  checkReferenceSkew,
  compareAsSqliteText,
  compareReferenceHlc,
  formatReferenceHlc,
  parseReferenceHlc,
  type ReferenceHlc,
  receiveReference,
  tickReference,
} from '../../src/core/reference/lenient-hlc.ts';
import { runVectors } from './run-vectors.ts';

interface Op {
  op: 'tick' | 'receive';
  now_ms: number;
  remote: string;
  max_future_skew_ms?: number;
  max_past_skew_ms?: number;
}
interface Step {
  error?: string;
  state: [number, number];
  [member: string]: unknown;
}

runVectors('hlc', {
  parse({ text, expected }: { text: string; expected: { wall: string; counter: string; error?: string } }) {
    const parsed = parseReferenceHlc(text);
    if (expected.error !== undefined) return assert.equal(parsed.ok, false);
    assert.ok(parsed.ok);
    assert.deepEqual([`${parsed.value.wall}`, `${parsed.value.counter}`], [expected.wall, expected.counter]);
  },

  compare({
    a,
    b,
    expected,
  }: {
    a: string;
    b: string;
    expected: { causal: number | { error: string }; sqlite_text_order: number };
  }) {
    assert.equal(compareAsSqliteText(a, b), expected.sqlite_text_order);
    const [left, right] = [parseReferenceHlc(a), parseReferenceHlc(b)];
    if (typeof expected.causal === 'object') return assert.ok(!left.ok || !right.ok);
    assert.ok(left.ok && right.ok);
    assert.equal(compareReferenceHlc(left.value, right.value), expected.causal);
  },

  sequence({ initial, ops, expected }: { initial: [number, number]; ops: Op[]; expected: Step[] }) {
    assert.equal(ops.length, expected.length);
    let clock: ReferenceHlc = { wall: BigInt(initial[0]), counter: BigInt(initial[1]) };
    for (const [place, op] of ops.entries()) {
      const wanted = expected[place] as Step;
      const outcome = step(clock, op);
      clock = outcome.clock;
      assert.deepEqual({ ...outcome.seen, state: [Number(clock.wall), Number(clock.counter)] }, wanted);
    }
  },

  order({
    values,
    expected,
  }: {
    values: string[];
    expected: { reference_pull_order: string[]; causal_order: string[] };
  }) {
    assert.deepEqual(values.toSorted(compareAsSqliteText), expected.reference_pull_order);
    assert.deepEqual(
      values.toSorted((a, b) => compareReferenceHlc(parsed(a), parsed(b))),
      expected.causal_order,
    );
  },
});

function parsed(text: string): ReferenceHlc {
  const hlc = parseReferenceHlc(text);
  assert.ok(hlc.ok);
  return hlc.value;
}

function step(clock: ReferenceHlc, op: Op): { clock: ReferenceHlc; seen: Record<string, unknown> } {
  const now = BigInt(op.now_ms);
  if (op.op === 'tick') {
    const next = tickReference(clock, now);
    return { clock: next, seen: { hlc: formatReferenceHlc(next) } };
  }
  const remote = parseReferenceHlc(op.remote);
  if (!remote.ok) return { clock, seen: { error: 'ValueError' } };
  const [future, past] = [op.max_future_skew_ms ?? 0, op.max_past_skew_ms ?? 0];
  const skew = checkReferenceSkew(remote.value.wall, now, { maxFutureMs: BigInt(future), maxPastMs: BigInt(past) });
  if (skew === null) {
    const next = receiveReference(clock, remote.value, now);
    return { clock: next, seen: { hlc: formatReferenceHlc(next) } };
  }
  const seen = {
    error: 'skew',
    direction: skew.direction,
    skew_ms: Number(skew.skewMs),
    remote_wall_ms: Number(remote.value.wall),
    local_wall_ms: op.now_ms,
    max_future_skew_ms: future,
    max_past_skew_ms: past,
  };
  return { clock, seen };
}
