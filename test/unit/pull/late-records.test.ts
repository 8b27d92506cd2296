import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../src/observe/logger.ts';
import { LateRecords } from '../../../src/pull/late-records.ts';
import { until } from '../../support/until.ts';

function recorder(): {
  readonly written: string[];
  readonly lines: string[];
  isFull: boolean;
  readonly records: LateRecords;
} {
  const written: string[] = [];
  const lines: string[] = [];
  const logger = createLogger('error', { write: (line: string) => void lines.push(line) });
  const disk = { isFull: true };
  const audit = async ({ event }: { readonly event: string }): Promise<number> => {
    if (disk.isFull) throw new Error('the disk is full');
    return written.push(event);
  };
  return Object.assign(disk, { written, lines, records: new LateRecords({ audit, logger }) });
}

test('records that cannot be written wait, and are written in their order', async () => {
  const disk = recorder();
  disk.records.put({ event: 'peer_changed' });
  disk.records.put({ event: 'peer_removed' });
  await until('it is told once', () => disk.lines.length === 1);
  disk.isFull = false;
  await until('they are written', () => disk.written.length === 2);
  disk.records.put({ event: 'peer_added' });
  await until('so is the next', () => disk.written.length === 3);
  assert.deepEqual(disk.written, ['peer_changed', 'peer_removed', 'peer_added']);
  await disk.records.stop();
  assert.equal(disk.lines.length, 1);
});

test('who stops waits for no room, and says what was lost', async () => {
  const disk = recorder();
  disk.records.put({ event: 'peer_changed', peer: 'stigmem://b.example' });
  await until('it waits', () => disk.lines.length === 1);
  await disk.records.stop();
  assert.match(disk.lines.at(-1) ?? '', /"lost":\{"event":"peer_changed","peer":"stigmem:\/\/b\.example"\}/);
});
