/** Lines of a stream of bytes, numbered, without ever holding more than one line. */

/** Longest line: one fact with the longest value there may be, every character escaped, and room. */
export const MAX_LINE_BYTES = 1_048_576;
const LF = 0x0a;

export type Line =
  | { readonly number: number; readonly bytes: number; readonly text: string }
  /** A line that cannot be read; the next ones can. */
  | { readonly number: number; readonly bytes: number; readonly fault: string };

/**
 * @param bytes of each line include its line end, so that they add up to the file's size
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let number = 0;
  let size = 0;
  let parts: Uint8Array[] = [];
  const finish = (): Line => {
    number += 1;
    const bytes = size;
    const whole = bytes > MAX_LINE_BYTES ? null : Buffer.concat(parts);
    parts = [];
    size = 0;
    if (whole === null) return { number, bytes, fault: `expected at most ${MAX_LINE_BYTES} bytes, got ${bytes}` };
    try {
      return { number, bytes, text: decoder.decode(whole).replace(/\r?\n$/, '') };
    } catch {
      return { number, bytes, fault: 'expected UTF-8 text, got other bytes' };
    }
  };
  for await (const chunk of chunks) {
    let start = 0;
    while (start < chunk.byteLength) {
      const end = chunk.indexOf(LF, start);
      const part = chunk.subarray(start, end === -1 ? undefined : end + 1);
      size += part.byteLength;
      // Of a line that is too long nothing is kept but its length.
      if (size <= MAX_LINE_BYTES) parts.push(part);
      else parts = [];
      start += part.byteLength;
      if (end !== -1) yield finish();
    }
  }
  if (size > 0) yield finish();
}
