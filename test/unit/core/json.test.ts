import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonNumber, type JsonLimits, type JsonValue, jsonText, parseJson } from '../../../src/core/json.ts';
import { pythonStr } from '../../../src/core/python-text.ts';

/** As JSON.parse would have it: literals become doubles, maps become objects. */
function plain(value: JsonValue): unknown {
  if (isJsonNumber(value)) return Number(value.lexeme);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object: Record<string, unknown> = {};
  for (const [key, member] of value) {
    Object.defineProperty(object, key, { value: plain(member), enumerable: true, writable: true, configurable: true });
  }
  return object;
}

function standard(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

function parsed(text: string, limits?: JsonLimits): JsonValue {
  const result = parseJson(text, limits);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(plain(parsed(text)), JSON.parse(text));
    }),
  );
});

test('agrees with JSON.parse on damaged text, but for NaN and Infinity', () => {
  const damaged = fc
    .tuple(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '0', '-', '.', 'e', ' ', '\n', '\u0000', 'u', 't'),
    )
    .chain(([text, at, char]) =>
      fc.constantFrom(
        text.slice(0, at % (text.length + 1)) + char + text.slice(at % (text.length + 1)),
        text.slice(1),
        text.slice(0, -1),
      ),
    );
  fc.assert(
    fc.property(damaged, (text) => {
      const result = parseJson(text);
      const wanted = standard(text);
      assert.equal(result.ok, wanted !== null, text);
      if (result.ok) assert.deepEqual(plain(result.value), wanted?.value);
    }),
    { numRuns: 1000 },
  );
});

test('never throws, and says where', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const result = parseJson(text);
      if (!result.ok)
        assert.ok(result.error.position <= text.length && result.error.line >= 1 && result.error.column >= 1);
    }),
  );
  assert.deepEqual(parseJson('{\n  "a": 01\n}'), {
    ok: false,
    error: { code: 'syntax', position: 10, line: 2, column: 9, expected: "',' or '}'", got: "'1'" },
  });
  const end = parseJson('[1,');
  assert.ok(!end.ok);
  assert.deepEqual([end.error.got, end.error.expected], ['end of input', 'a value']);
  const control = parseJson('"a\nb"');
  assert.ok(!control.ok);
  assert.deepEqual([control.error.got, control.error.line], ['U+000A', 1]);
});

test('keeps number literals as they were written', () => {
  const text = '[1,1.0,-0,-0.0,1e2,1E+2,9007199254740993,0.10,NaN,Infinity,-Infinity]';
  assert.equal(jsonText(parsed(text)), text);
});

for (const bad of [
  '01',
  '+1',
  '.5',
  '5.',
  '1_000',
  '0x10',
  'nan',
  '-NaN',
  '1e',
  '1e+',
  '--1',
  '- 1',
  'tru',
  '[1,]',
  '{"a":1,}',
  "{'a':1}",
  '{1:2}',
  '[1 2]',
  '"\\x41"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\ud83d',
  '"',
  '{"a"}',
  '{"a":}',
  '\ufeff1',
  '1\u00a0',
  '[]]',
  '',
  ' ',
  '\u000b1',
]) {
  test(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseJson(bad).ok, false));
}

test('a repeated key: the last value at the first place, or an error', () => {
  assert.equal(jsonText(parsed('{"a":1,"b":2,"a":3}')), '{"a":3,"b":2}');
  const refused = parseJson('{"a":1,"b":{"c":1,"c":2}}', { duplicateKeys: 'refuse' });
  assert.ok(!refused.ok);
  assert.deepEqual([refused.error.code, refused.error.position], ['duplicate_key', 18]);
});

test('names of built-in members are only names', () => {
  const value = parsed('{"__proto__":{"x":1},"constructor":2,"10":3,"2":4}');
  assert.equal(pythonStr(value), "{'__proto__': {'x': 1}, 'constructor': 2, '10': 3, '2': 4}");
  assert.equal(({} as { x?: number }).x, undefined);
});

test('surrogates: pairs are joined, lone ones let through', () => {
  assert.equal(parsed('"\\ud83d\\ude00\\uD83D\\uDE00"'), '😀😀');
  assert.equal(parsed('"\\ude00\\ud83d"'), '\ude00\ud83d');
});

test('limits: size, depth, digits', () => {
  const code = (text: string, limits?: JsonLimits): string => {
    const result = parseJson(text, limits);
    return result.ok ? 'ok' : result.error.code;
  };
  assert.equal(code('[[1]]', { maxDepth: 2 }), 'ok');
  assert.equal(code('[[[]]]', { maxDepth: 2 }), 'too_deep');
  assert.equal(code('['.repeat(1_000_000)), 'too_deep');
  assert.equal(code('{"a":'.repeat(1_000_000)), 'too_deep');
  assert.equal(code('"12345678"', { maxChars: 10 }), 'ok');
  assert.equal(code('"123456789"', { maxChars: 10 }), 'too_large');
  assert.equal(code('1'.repeat(4300)), 'ok');
  assert.equal(code(`-${'1'.repeat(4300)}`), 'ok');
  assert.equal(code('1'.repeat(4301)), 'number_too_long');
  assert.equal(code(`${'1'.repeat(4301)}.0`), 'ok');
});
