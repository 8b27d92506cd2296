import assert from 'node:assert/strict';
import { type JsonValue, parseJson } from '../../src/core/json.ts';
import {
  afterAppend,
  type CheckpointRow,
  type CheckpointSettings,
  checkpointLeafHash,
  checkpointPayload,
  isCheckpointDue,
} from '../../src/core/reference/checkpoint.ts';
import { checkLocalInclusion, type LogLine, localLogId, nextLogLine } from '../../src/core/reference/local-log.ts';
import { checkSdkProof, type SdkRefusal } from '../../src/core/reference/sdk-proof.ts';
import { parseIsoInstant, pythonIsoFormat } from '../../src/core/time.ts';
import { runVectors } from './run-vectors.ts';

interface Payload {
  input: { tenant_id: string; chain_seq: string; chain_hash: string; created_at: string };
  expected: { payload_text: string; leaf_hash: string };
}
interface LocalLog {
  payload_texts: string[];
  unix_times: number[];
  expected: { file_text: string; entries?: unknown };
}
interface Cadence {
  input: {
    head_seq: number;
    head_created_at: string;
    latest: { covered_chain_seq: number; created_at: string } | null;
    now: string;
    interval: number;
    max_age_s: number;
  };
  expected: boolean;
}
interface Machine {
  settings: CheckpointSettings;
  start: string;
  steps: { at_s: number; op: 'append' | 'up' | 'down' }[];
  expected: { at_s: number; appended_seq: number; checkpoints: CheckpointRow[] }[];
}
interface Inclusion {
  file_text: string | null;
  entry: { leaf_hash: string; log_index: number };
  expected: { result?: boolean; error?: string; message?: string };
}
interface SdkProof {
  proof_text: string | null;
  require_checkpoint: boolean;
  expected: { accept: boolean; message?: string; model_error?: string };
}

/** The SDK's words for each refusal. */
const SDK_MESSAGES: Record<SdkRefusal, RegExp> = {
  model: /^model$/,
  missing_proof: /^missing fact-chain proof$/,
  negative_entries: /negative checked_entries/,
  missing_head: /missing head_hash/,
  missing_checkpoint: /missing checkpoint metadata/,
  tenant_mismatch: /tenant does not match/,
  head_mismatch: /does not match proof head_hash/,
  covers_too_much: /covers more entries/,
  not_submitted: /is not submitted/,
  missing_leaf_hash: /missing tl_leaf_hash/,
  missing_log_index: /missing tl_log_index/,
  leaf_hash_mismatch: /leaf hash mismatch/,
  payload_mismatch: /payload does not match/,
};
const INCLUSION_MESSAGES = {
  unavailable: /not found/,
  out_of_range: /out of range/,
  leaf_mismatch: /leaf_hash mismatch/,
  index_mismatch: /stored index/,
  chain_mismatch: /integrity check/,
  malformed: /./,
};

runVectors('checkpoint', {
  payload({ input, expected }: Payload) {
    const text = checkpointPayload({ ...input, chain_seq: BigInt(input.chain_seq) });
    assert.equal(text, expected.payload_text);
    assert.equal(checkpointLeafHash(text), expected.leaf_hash);
  },

  local_log({ payload_texts, unix_times, expected }: LocalLog) {
    let line: LogLine | null = null;
    let text = '';
    for (const [place, payload] of payload_texts.entries()) {
      line = nextLogLine(line, parsed(payload), unix_times[place] as number);
      text += line.text;
    }
    assert.equal(text, expected.file_text);
  },

  log_id({ absolute_path, expected }: { absolute_path: string; expected: string }) {
    assert.equal(localLogId(absolute_path), expected);
  },

  inclusion({ file_text, entry, expected }: Inclusion) {
    const result = checkLocalInclusion(file_text, entry);
    assert.equal(result.ok, expected.result === true);
    if (!result.ok) assert.match(expected.message ?? '', INCLUSION_MESSAGES[result.error]);
  },

  cadence({ input, expected }: Cadence) {
    const head = { seq: input.head_seq, createdAt: input.head_created_at };
    assert.equal(isCheckpointDue(head, input.latest, input.now, input), expected);
  },

  state_machine({ settings, start, steps, expected }: Machine) {
    const started = parseIsoInstant(start);
    assert.ok(started.ok);
    const wanted = [...expected];
    let [rows, seq, index, isUp]: [CheckpointRow[], number, number, boolean] = [[], 0, 0, true];
    const submit = () => (isUp ? { index: index++ } : { error: 'the log is down' });
    for (const { at_s, op } of steps) {
      if (op !== 'append') {
        isUp = op === 'up';
        continue;
      }
      seq += 1;
      const nowUs = Number(started.value) + at_s * 1_000_000;
      rows = afterAppend(rows, { seq, createdAt: pythonIsoFormat(nowUs) }, nowUs, settings, submit);
      const want = wanted.shift();
      assert.deepEqual([seq, at_s], [want?.appended_seq, want?.at_s]);
      assert.deepEqual(rows.map(withoutMessage), want?.checkpoints.map(withoutMessage));
    }
    assert.equal(wanted.length, 0);
  },

  sdk_proof({ proof_text, require_checkpoint, expected }: SdkProof) {
    const result = checkSdkProof(proof_text, require_checkpoint);
    assert.equal(result.ok, expected.accept);
    if (!result.ok) assert.match(expected.message ?? 'model', SDK_MESSAGES[result.error]);
  },
});

/** The text of an outage is the backend's own; that there is one is the rule. */
function withoutMessage(row: CheckpointRow): object {
  return { ...row, last_error: row.last_error === null ? null : 'error' };
}

function parsed(text: string): JsonValue {
  const value = parseJson(text);
  assert.ok(value.ok);
  return value.value;
}
