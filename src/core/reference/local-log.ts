import { hash } from 'node:crypto';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json.ts';
import { err, ok, type Result } from '../result.ts';
import { HASHED_STYLE, pythonJson } from './python-json.ts';

const FIRST_PREVIOUS = '0'.repeat(64);
const LINE_STYLE = { sortKeys: false, ascii: true } as const;

export interface LogLine {
  readonly index: number;
  readonly ts: number;
  readonly leaf_hash: string;
  readonly prev_hash: string;
  readonly chain_hash: string;
  /** The line with its line feed, ASCII. */
  readonly text: string;
}

export type InclusionError =
  | 'unavailable'
  | 'out_of_range'
  | 'leaf_mismatch'
  | 'index_mismatch'
  | 'chain_mismatch'
  | 'malformed';

/** Names a log file: the first 16 hex digits of the hash of its absolute path. */
export function localLogId(absolutePath: string): string {
  return hash('sha256', absolutePath, 'hex').slice(0, 16);
}

/** Hash of a payload as a log line carries it: bare hex, without the prefix that all other hashes have. */
export function payloadLeafHash(payload: JsonValue): string {
  return hash('sha256', pythonJson(payload, HASHED_STYLE), 'hex');
}

/** The line that follows `previous` (null: the first) in a local log. @param unixTime seconds, whole */
export function nextLogLine(
  previous: Pick<LogLine, 'index' | 'chain_hash'> | null,
  payload: JsonValue,
  unixTime: number,
): LogLine {
  const index = previous === null ? 0 : previous.index + 1;
  const prev_hash = previous?.chain_hash ?? FIRST_PREVIOUS;
  const leaf_hash = payloadLeafHash(payload);
  const chain_hash = hash('sha256', prev_hash + leaf_hash, 'hex');
  const text = `{"index":${index},"ts":${unixTime},"leaf_hash":"${leaf_hash}","prev_hash":"${prev_hash}","chain_hash":"${chain_hash}","payload":${pythonJson(payload, LINE_STYLE)}}\n`;
  return { index, ts: unixTime, leaf_hash, prev_hash, chain_hash, text };
}

/**
 * What the reference calls verifying inclusion: looks at one line, neither at its payload nor at its neighbours.
 * @param fileText null if the file is missing
 */
export function checkLocalInclusion(
  fileText: string | null,
  entry: { readonly leaf_hash: string; readonly log_index: number },
): Result<true, InclusionError> {
  if (fileText === null) return err('unavailable');
  const trimmed = fileText.trim();
  const lines = trimmed === '' ? [] : trimmed.split(/\r\n|\n|\r/);
  if (entry.log_index >= lines.length) return err('out_of_range');
  const line = readLine(lines.at(entry.log_index) ?? '');
  if (line === null) return err('malformed');
  if (line.get('leaf_hash') !== entry.leaf_hash) return err('leaf_mismatch');
  if (!isNumber(line.get('index'), entry.log_index)) return err('index_mismatch');
  const [prev, chain] = [line.get('prev_hash'), line.get('chain_hash')];
  if (typeof prev !== 'string' || hash('sha256', prev + entry.leaf_hash, 'hex') !== chain) return err('chain_mismatch');
  return ok(true);
}

function readLine(text: string): JsonObject | null {
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

function isNumber(value: JsonValue | undefined, wanted: number): boolean {
  return isJsonNumber(value) && Number(value.lexeme) === wanted;
}
