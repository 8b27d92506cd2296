/** Lines in a file. An event is delivered when its line is on the disk; a line that a crash has cut off is taken away. */
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Sink, SinkError } from './sink.ts';

export interface JsonlOptions {
  readonly path: string;
  /** A file that would grow beyond this is put aside first. */
  readonly maxBytes: number;
}

/** Whoever ships the file reads it as one of its group. */
const MODE = 0o640;
const FLAGS: number = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
const LF = 0x0a;
const LOOK_BACK_BYTES = 65_536;
/** Over by themselves, or when somebody makes room. */
const PASSING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE']);

export function createJsonlSink({ path, maxBytes }: JsonlOptions): Sink {
  let before: Promise<unknown> = Promise.resolve();
  return {
    confirms: true,
    async deliver(events) {
      const bytes = Buffer.from(events.map(({ text }) => `${text}\n`).join(''));
      // A test goes past what waits, not into it: what is half written looks like a line that a crash has cut off.
      const written = before.then(() => append(path, maxBytes, bytes, events[0]?.event.seq ?? 0));
      before = written.catch(() => undefined);
      await written.catch((cause: NodeJS.ErrnoException) => {
        const code = PASSING.has(cause.code ?? '') ? 'unreachable' : 'misconfigured';
        throw new SinkError(code, cause.message, { cause });
      });
    },
    close: async () => undefined,
  };
}

/** Opened for each batch: a file that somebody has moved away is not written to any more. */
async function append(path: string, maxBytes: number, bytes: Buffer, firstSeq: number): Promise<void> {
  const size = await withFile(path, withoutTornLine);
  const isFull = size > 0 && size + bytes.length > maxBytes;
  if (isFull) await putAside(path, firstSeq);
  await withFile(path, async (file) => {
    await file.appendFile(bytes);
    await file.sync();
  });
  // A new name is durable when its folder is.
  if (isFull || size === 0) await withFile(dirname(path), (folder) => folder.sync(), constants.O_RDONLY);
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>, flags = FLAGS): Promise<T> {
  const file = await open(path, flags, MODE);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * `events.jsonl` → `events.jsonl.upto-000000000123`: it holds what came before that sequence. Killed behind the renaming, the
 * next delivery makes the new file. A batch that comes again may find the name taken, by lines that are nowhere else: then
 * `….upto-000000000123-2`.
 */
async function putAside(path: string, seq: number): Promise<void> {
  const name = `${path}.upto-${String(seq).padStart(12, '0')}`;
  for (let turn = 1; ; turn++) {
    const aside = turn === 1 ? name : `${name}-${turn}`;
    // The name is taken first: a renaming would replace what has it.
    if (await isReserved(aside)) return rename(path, aside);
  }
}

async function isReserved(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', MODE)).close();
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/** @returns the size, up to the last whole line */
async function withoutTornLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const end = await endOfLines(file, size);
  if (end < size) await file.truncate(end);
  return end;
}

async function endOfLines(file: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; end -= LOOK_BACK_BYTES) {
    const from = Math.max(0, end - LOOK_BACK_BYTES);
    const { buffer } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    const at = buffer.lastIndexOf(LF);
    if (at !== -1) return from + at + 1;
  }
  return 0;
}
