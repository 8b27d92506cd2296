/** A witness that asks for time is left in peace for so long, asked again by itself, and nothing is lost by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import { decodeWitnessRequest, encodeWitnessAnswer, type WitnessAnswer } from '../../../src/wire/witness.ts';
import { Collector } from '../../../src/witness/collector.ts';
import type { WitnessDeps } from '../../../src/witness/deps.ts';
import type { KnownLogs } from '../../../src/witness/known-logs.ts';

const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const PEER = { name: 'acme', nodeId: 'stigmem://acme.example', peerId: '12D3acme', share: [{ feed: 'public' }] };
const RULES = { authority: 'globex.example', gardens: new Map(), permits: new Map() };

interface Stage {
  readonly collector: Collector;
  readonly asked: { readonly old: number; readonly size: number }[];
  readonly later: number[];
  readonly outcomes: string[];
  size: number;
  nowMs: number;
}

function stage(answer: (size: number) => WitnessAnswer): Stage {
  const made = { asked: [], later: [], outcomes: [], size: 1, nowMs: NOW_MS } as unknown as Stage;
  async function* request(_peer: string, _protocol: string, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    const decoded = decodeWitnessRequest(bytes);
    assert.ok(decoded.ok && decoded.value.kind === 'cosign');
    const size = Number(decoded.value.checkpoint);
    made.asked.push({ old: decoded.value.old, size });
    yield encodeWitnessAnswer(answer(size));
  }
  const deps = {
    transport: { request, connected: () => true },
    journal: { collectCosignatures: async () => 1 },
    peers: () => [{ ...PEER, grants: [], allowTeam: false } as unknown as PeerFile],
    rules: RULES,
    policy: {
      logs: [],
      witnesses: [{ keyName: 'acme.example/witness', name: 'w', url: null }],
      groups: [],
      quorum: '',
    },
    head: async () => ({ size: made.size, checkpoint: String(made.size) }),
    consistency: async () => [],
    report: {
      answered: (_: string, outcome: string) => made.outcomes.push(outcome),
      stands: () => undefined,
      collected: () => undefined,
    },
    nowMs: () => made.nowMs,
    logger: { warn: (fields: object) => assert.fail(JSON.stringify(fields)) },
  } as unknown as WitnessDeps;
  const known = { meet: async () => undefined, witnessOf: async () => null } as unknown as KnownLogs;
  const collector = new Collector(deps, known, new AbortController().signal, (ms) => made.later.push(ms));
  return Object.assign(made, { collector });
}

test('what is appended while a witness has asked for time is one question, when the time is over', async () => {
  let isBusy = true;
  const made = stage(() =>
    isBusy ? { kind: 'busy', retry_after_ms: 1_728, v: 1 } : { kind: 'cosigned', lines: '— w AAAA\n', v: 1 },
  );
  for (made.size = 1; made.size <= 20; made.size++) await made.collector.collect();
  assert.deepEqual([made.asked.length, made.outcomes, made.later], [1, ['busy'], [1_728]]);
  isBusy = false;
  made.nowMs += 1_728;
  await made.collector.collect();
  assert.deepEqual([made.asked.at(-1)?.size, made.outcomes.at(-1)], [made.size, 'cosigned']);
});

test('a witness can neither put us off for long nor have us ask without a pause', async () => {
  let askedFor = 0;
  const made = stage(() => ({ kind: 'busy', retry_after_ms: askedFor, v: 1 }));
  await made.collector.collect();
  askedFor = Number.MAX_SAFE_INTEGER;
  made.nowMs += 1_000;
  await made.collector.collect();
  assert.deepEqual(made.later, [1_000, 60_000]);
  made.nowMs -= 365 * 86_400_000;
  await made.collector.collect();
  assert.equal(made.asked.length, 3, 'a clock that is put back puts nobody off');
});
