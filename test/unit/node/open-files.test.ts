import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesNeeded, openFilesFault, processLimits } from '../../../src/node/open-files.ts';

const limits = (soft: number | 'unlimited'): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                 1048576              files     \n`;

test('fewer open files than connections may need is said, with what to do', () => {
  const needed = filesNeeded(256);
  assert.equal(openFilesFault(limits(needed), 256), null);
  assert.equal(openFilesFault(limits('unlimited'), 256), null);
  assert.equal(openFilesFault('another system', 256), null);
  const fault = openFilesFault(limits(needed - 1), 256);
  assert.match(
    fault ?? '',
    /may hold 995 files open, and its connections may need 996: raise the limit \(LimitNOFILE=/,
  );
  assert.notEqual(openFilesFault(limits(needed), 257), null);
});

test('this system says how many there may be', () => {
  assert.match(processLimits() ?? '', /^Max open files/m);
});
