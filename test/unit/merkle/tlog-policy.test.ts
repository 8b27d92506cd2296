import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ED25519, parseNote } from '../../../src/merkle/note.ts';
import { checkWitnessPolicy, parsePolicy, type WitnessPolicy } from '../../../src/merkle/tlog-policy.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';

const ORIGIN = 'acme.example/journal/00000000000000aa';
const seed = (text: string): Buffer => createHash('sha256').update(text).digest();
const LOG = createLogSigner(ORIGIN, seed('log'));
const NAMES = ['x1', 'x2', 'x3', 'y1', 'y2'] as const;
const WITNESSES: Readonly<Record<string, LogSigner>> = Object.fromEntries(
  NAMES.map((name) => [name, createLogSigner(`${name}.example/witness`, seed(name))]),
);
const vkey = ({ name, publicKey }: LogSigner, algorithm: number): string =>
  formatVerifierKey({ name, algorithm, publicKey });
const witnessLine = (name: string): string =>
  `witness ${name} ${vkey(WITNESSES[name] as LogSigner, ALG_COSIGNATURE_V1)}`;
const LINES = NAMES.map(witnessLine);
const TWO_AND_ONE = [
  '# two of X and one of Y',
  `log ${vkey(LOG, ALG_ED25519)} https://acme.example/tlog`,
  '',
  ...LINES,
  'group X 2 x1 x2 x3',
  '\tgroup  Y any y1 y2 ',
  'group both all X Y',
  'quorum both',
].join('\n');

function policy(text: string): WitnessPolicy {
  const parsed = parsePolicy(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function cosigned(...names: readonly string[]) {
  const note = signCheckpoint(ORIGIN, 3, seed('root'), LOG);
  const [text = ''] = note.split('\n\n');
  const full = names.reduce(
    (n, name) => appendSignature(n, cosign(`${text}\n`, 7, WITNESSES[name] as LogSigner)),
    note,
  );
  const parsed = parseNote(full);
  assert.ok(parsed.ok);
  return parsed.value;
}

test('a policy of two levels: two of these three and one of those two', () => {
  const both = policy(TWO_AND_ONE);
  assert.equal(both.logs[0]?.keyName, ORIGIN);
  assert.equal(both.logs[0]?.url, 'https://acme.example/tlog');
  for (const names of [['x1', 'x2', 'y1'], ['x3', 'x1', 'y2'], NAMES])
    assert.deepEqual(checkWitnessPolicy(both, cosigned(...names)), { ok: true, value: 'ok' });
  for (const names of [[], ['x1'], ['x1', 'x2'], ['x1', 'x2', 'x3'], ['x1', 'y1', 'y2']])
    assert.deepEqual(checkWitnessPolicy(both, cosigned(...names)), {
      ok: false,
      error: { satisfied: names, missing: NAMES.filter((name) => !names.includes(name)) },
    });
});

test('a cosignature over another checkpoint, or by another key of the name, counts for nothing', () => {
  const one = policy(`${witnessLine('x1')}\nquorum x1`);
  const good = cosigned('x1');
  const other = parseNote(signCheckpoint(ORIGIN, 4, seed('root'), LOG));
  assert.ok(other.ok);
  assert.equal(checkWitnessPolicy(one, { ...other.value, signatures: good.signatures }).ok, false);
  const stranger = createLogSigner('x1.example/witness', seed('stranger'));
  const foreign = { ...good, signatures: [cosign(good.text, 7, stranger)] };
  assert.equal(checkWitnessPolicy(one, foreign).ok, false);
});

test('quorum none asks for nothing', () => {
  assert.equal(checkWitnessPolicy(policy('quorum none'), cosigned()).ok, true);
});

const REFUSED: readonly (readonly [string, string, number])[] = [
  ['no quorum', witnessLine('x1'), 0],
  ['two quorums', `${witnessLine('x1')}\nquorum x1\nquorum none`, 3],
  ['a quorum that is defined below', `quorum x1\n${witnessLine('x1')}`, 1],
  ['a member that is not defined', 'group g any x1\nquorum g', 1],
  ['none as a member', 'group g any none\nquorum g', 1],
  ['a group without members', 'group g any\nquorum g', 1],
  ['more than there are', `${witnessLine('x1')}\ngroup g 2 x1\nquorum g`, 2],
  ['a threshold of zero', `${witnessLine('x1')}\ngroup g 0 x1\nquorum g`, 2],
  ['a threshold with a zero in front', `${witnessLine('x1')}\ngroup g 01 x1\nquorum g`, 2],
  ['one witness in two groups', `${witnessLine('x1')}\ngroup g any x1\ngroup h any x1\nquorum h`, 3],
  ['one witness twice in a group', `${witnessLine('x1')}\ngroup g all x1 x1\nquorum g`, 2],
  ['one name twice', `${witnessLine('x1')}\n${witnessLine('x2').replace('witness x2', 'witness x1')}\nquorum x1`, 2],
  ['one key twice', `${witnessLine('x1')}\n${witnessLine('x1').replace('witness x1', 'witness z')}\nquorum x1`, 2],
  ['a log key as witness', `witness x ${vkey(LOG, ALG_ED25519)}\nquorum x`, 1],
  ['a witness key as log', `log ${vkey(WITNESSES['x1'] as LogSigner, ALG_COSIGNATURE_V1)}\nquorum none`, 1],
  ['an unknown word', 'wittness\nquorum none', 1],
  ['a carriage return', 'quorum none\r\n', 0],
];
for (const [what, text, line] of REFUSED)
  test(`refuses ${what}, with its line`, () => {
    const parsed = parsePolicy(text);
    assert.equal(parsed.ok, false);
    assert.equal(parsed.ok ? null : parsed.error.line, line);
  });

test('any text is a policy or has a fault; nothing throws', () => {
  const word = fc.constantFrom(
    'log',
    'witness',
    'group',
    'quorum',
    'any',
    'all',
    '1',
    '2',
    'none',
    'g',
    'x1',
    '\n',
    '\t',
    '#',
    vkey(LOG, ALG_ED25519),
    vkey(WITNESSES['x1'] as LogSigner, ALG_COSIGNATURE_V1),
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parsePolicy(text);
      if (parsed.ok) checkWitnessPolicy(parsed.value, cosigned('x1'));
    }),
    { numRuns: 2_000 },
  );
});
