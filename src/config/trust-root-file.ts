import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../core/result.ts';
import { parseTrustedRoot } from '../merkle/trusted-root.ts';
import { shownPath } from './problem.ts';

/** The text of a Sigstore trusted_root.json that can be used, or what the file is instead, in words. */
export function readTrustRoot(path: string): Result<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // The message holds the whole path, which a file names and can make as long as it likes.
    return err(shownPath((error as Error).message));
  }
  const logs = parseTrustedRoot(text);
  return logs.ok ? ok(text) : err(`something else: ${logs.error}`);
}
