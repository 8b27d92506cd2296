/** Reads back what the local log holds of our own checkpoints. The file is never made or changed here. */
import { open } from 'node:fs/promises';
import { statedSize } from '../merkle/checkpoint.ts';

/** Some 700 lines: checkpoints of the journal and of the audit log, of which one may grow without the other. */
const TAIL_BYTES = 1_048_576;

/**
 * The notes of one log at the end of the file, the largest tree first. Nothing is verified: anybody may have written there.
 * Lines that cannot be read are passed over.
 *
 * @throws the error of the file system; none when there is no such file
 */
export async function localNotes(path: string, origin: string): Promise<readonly string[]> {
  const lines = (await readTail(path)).split('\n');
  const notes = new Set(lines.flatMap(noteOf).filter((note) => note.startsWith(`${origin}\n`)));
  return [...notes].sort((a, b) => statedSize(b) - statedSize(a));
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function noteOf(line: string): readonly string[] {
  try {
    const { note } = Object(JSON.parse(line));
    return typeof note === 'string' ? [note] : [];
  } catch {
    return []; // the start of the tail may be the middle of a line, and its end what a crash left
  }
}
