/** Anchors as an auditor has them: lines of a local log, receipts, signed checkpoints. What others hold, not what the node says. */
import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, parseJson } from '../core/json.ts';
import { sha256OfText } from '../core/python-text.ts';
import { payloadLeafHash } from '../core/reference/local-log.ts';
import type { AnchorClaim } from '../journal/fsck/anchor-check.ts';
import type { FsckProblem } from '../journal/fsck/report.ts';
import { readAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { MAX_NOTE_BYTES } from '../merkle/note.ts';
import { CliError } from './exit.ts';
import { readLines } from './line-reader.ts';

export interface ReadAnchors {
  readonly claims: readonly AnchorClaim[];
  /** Lines that are not what their log wrote. */
  readonly problems: readonly FsckProblem[];
}

/** Kind of payload by which the reference says that a line is about its chain of facts. */
const CHAIN_KIND = 'stigmem.fact_chain_checkpoint';
const FIRST_PREVIOUS = '0'.repeat(64);

/** Reads anchor files of every form, told apart by their first byte. @throws CliError if one cannot be read */
export async function readAnchorFiles(files: readonly string[]): Promise<ReadAnchors> {
  const claims: AnchorClaim[] = [];
  const problems: FsckProblem[] = [];
  for (const file of files) {
    const head = firstByte(file);
    if (head !== '{' && head !== '[') claims.push(noteClaim(file));
    else for await (const found of readJsonLines(file)) 'code' in found ? problems.push(found) : claims.push(found);
  }
  return { claims, problems };
}

function firstByte(file: string): string {
  try {
    if (statSync(file).size === 0) return '{'; // a log without lines
    const handle = openSync(file, 'r');
    const byte = Buffer.alloc(1);
    readSync(handle, byte);
    closeSync(handle);
    return byte.toString('latin1');
  } catch (cause) {
    const message = `expected a file of anchors, got ${JSON.stringify(file)}: ${(cause as Error).message}`;
    throw new CliError({ exit: 'not_found', message }, { cause });
  }
}

function noteClaim(file: string): AnchorClaim {
  const note = readFileSync(file, 'utf8');
  if (note.length <= MAX_NOTE_BYTES) return { source: basename(file), note, chain: null };
  throw new CliError({ exit: 'refused', message: `${file} is larger than any checkpoint` });
}

async function* readJsonLines(file: string): AsyncGenerator<AnchorClaim | FsckProblem> {
  let previous: string | null = FIRST_PREVIOUS;
  for await (const line of readLines(createReadStream(file))) {
    const source = `${basename(file)} line ${line.number}`;
    if ('fault' in line) {
      yield broken(source, line.fault);
      continue;
    }
    if (line.text.trim() === '') continue;
    const parsed = parseJson(line.text);
    if (!parsed.ok || !isJsonObject(parsed.value)) {
      yield broken(source, 'expected one JSON object');
      continue;
    }
    if (parsed.value.has('backend')) {
      yield receiptClaim(source, line.text);
      continue;
    }
    const fault = lineFault(parsed.value, previous);
    if (fault !== null) yield broken(source, fault);
    previous = textOf(parsed.value.get('chain_hash'));
    yield localClaim(source, parsed.value);
  }
}

/** A line of a local log names the hash of the line before, and hashes its own payload: none is left out or changed. */
function lineFault(line: JsonObject, previous: string | null): string | null {
  const payload = line.get('payload');
  const leaf = textOf(line.get('leaf_hash'));
  const prev = textOf(line.get('prev_hash'));
  if (payload === undefined || leaf === null || prev === null) return 'expected payload, leaf_hash and prev_hash';
  if (payloadLeafHash(payload) !== leaf) return 'leaf_hash is not that of the payload: the line was changed';
  if (previous !== null && prev !== previous)
    return 'prev_hash is not that of the line before: a line was taken out, added or moved';
  const chain = sha256OfText(prev + leaf).slice('sha256:'.length);
  return chain === textOf(line.get('chain_hash')) ? null : 'chain_hash is not that of the line: it was changed';
}

function localClaim(source: string, line: JsonObject): AnchorClaim {
  const payload = line.get('payload');
  const isChain = isJsonObject(payload) && payload.get('kind') === CHAIN_KIND;
  const seq = isChain ? payload.get('covered_chain_seq') : undefined;
  const hash = isChain ? textOf(payload.get('chain_hash')) : null;
  const isPlaced = isJsonNumber(seq) && Number.isSafeInteger(Number(seq.lexeme)) && hash !== null;
  return { source, note: textOf(line.get('note')), chain: isPlaced ? { seq: Number(seq.lexeme), hash } : null };
}

function receiptClaim(source: string, line: string): AnchorClaim | FsckProblem {
  const read = readAnchorReceipt(JSON.parse(line));
  if (!read.ok) return broken(source, 'expected an anchor receipt');
  const { backend, log_index, checkpoint } = read.value;
  return { source: `${source} (${backend} ${log_index})`, note: checkpoint, chain: null, receipt: read.value };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function broken(source: string, detail: string): FsckProblem {
  return { table: 'anchors', row: source, field: null, code: 'anchor_line_broken', detail };
}
