import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface VectorCase {
  readonly id: string;
  readonly kind: string;
  // Vectors are data of many shapes; each handler names the one that it reads.
  readonly [member: string]: unknown;
}

interface VectorFile {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly cases: readonly VectorCase[];
}

export function readVectors(name: string): VectorFile {
  const path = fileURLToPath(new URL(`./reference/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as VectorFile;
}

/** Runs every case of a vector file by its kind. A kind without a handler fails, so does a case that was not run. */
export function runVectors(
  name: string,
  handlers: Readonly<Record<string, (one: never, file: VectorFile) => void>>,
): void {
  const file = readVectors(name);
  let run = 0;
  for (const one of file.cases) {
    const kind = one.kind ?? 'default';
    test(`${name}: ${kind}: ${one.id}`, () => {
      run += 1;
      const handler = handlers[kind];
      assert.ok(handler, `no handler for kind ${kind}`);
      handler(one as never, file);
    });
  }
  test(`${name}: all ${file.cases.length} cases ran`, () => {
    assert.ok(file.cases.length > 0);
    assert.equal(run, file.cases.length);
  });
}
