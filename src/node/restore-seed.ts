import type { DataPaths } from '../config/data-dir.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { randomSeed, readSeedFile, secretExists, writeSeedFile } from '../config/secret-file.ts';
import type { Result } from '../core/result.ts';

/** The secret behind restore notes. A folder of a time before them gets one: what it leaves with peers begins then. */
export function openRestoreSeed({ restoreKey }: DataPaths): Result<Uint8Array, ConfigProblem> {
  if (!secretExists(restoreKey)) writeSeedFile(restoreKey, 'restore', randomSeed('restore'));
  return readSeedFile(restoreKey, 'restore');
}
