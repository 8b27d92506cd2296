import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonNumber, parseJson } from '../../../src/core/json.ts';
import {
  asciiJsonString,
  pythonFloatText,
  pythonJsonFloatText,
  pythonJsonString,
  pythonRepr,
  pythonStr,
  sha256OfText,
} from '../../../src/core/python-text.ts';
import { isPythonPrintable, pythonDigitValue } from '../../../src/core/python-unicode.ts';
import { decodeValue, encodeValue } from '../../../src/core/value.ts';

/** Printed by CPython 3.11.7. */
const FLOATS: [number, string][] = [
  [1, '1.0'],
  [0, '0.0'],
  [-0, '-0.0'],
  [0.1, '0.1'],
  [1e-4, '0.0001'],
  [9.999999999999999e-5, '9.999999999999999e-05'],
  [1e-5, '1e-05'],
  [1.5e-7, '1.5e-07'],
  [1e-10, '1e-10'],
  [1e-100, '1e-100'],
  [5e-324, '5e-324'],
  [1e15, '1000000000000000.0'],
  [9999999999999998, '9999999999999998.0'],
  [1e16, '1e+16'],
  [1.2345678901234568e18, '1.2345678901234568e+18'],
  [1e21, '1e+21'],
  [1e22, '1e+22'],
  [1e100, '1e+100'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [-1.5, '-1.5'],
  [-1e-7, '-1e-07'],
  [123456789.12345679, '123456789.12345679'],
  [2 ** 53, '9007199254740992.0'],
  [0.30000000000000004, '0.30000000000000004'],
];
for (const [x, text] of FLOATS) test(`float ${text}`, () => assert.equal(pythonFloatText(x), text));

test('float text reads back as the same double and always has a point or an exponent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = pythonFloatText(x);
      assert.ok(Object.is(Number(text), x));
      assert.match(text, /^-?[0-9](?:[0-9]*\.[0-9]+|(?:\.[0-9]+)?e[-+][0-9]{2,3})$/);
    }),
  );
});

test('non-finite numbers', () => {
  assert.deepEqual([Number.NaN, Infinity, -Infinity].map(pythonFloatText), ['nan', 'inf', '-inf']);
  assert.deepEqual([Number.NaN, Infinity, -Infinity].map(pythonJsonFloatText), ['NaN', 'Infinity', '-Infinity']);
});

test('JSON strings: minimal escapes, everything else raw', () => {
  assert.equal(
    pythonJsonString('"\\/\b\f\n\r\t\u0000\u001f\u007f\u0080\u2028\ufeff\uffff😀'),
    '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007f\u0080\u2028\ufeff\uffff😀"',
  );
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((s) => s.isWellFormed()),
      (s) => pythonJsonString(s) === JSON.stringify(s),
    ),
  );
});

test('a lone surrogate stays visible, so that no hash is taken over it', () => {
  assert.equal(pythonJsonString('\n\ud800'), '"\\n\ud800"');
  assert.throws(() => sha256OfText(pythonJsonString('\n\ud800')), { code: 'not_encodable_as_utf8' });
});

test('ASCII JSON strings escape U+007F too, in lower case and as UTF-16', () => {
  assert.equal(asciiJsonString('a/ü\u007f\u2028😀\ud800"\n~'), '"a/\\u00fc\\u007f\\u2028\\ud83d\\ude00\\ud800\\"\\n~"');
});

const REPRS: [string, string][] = [
  ['[1,"a",null,true,1.50]', "[1, 'a', None, True, 1.5]"],
  ['{"z":[],"a":{}}', "{'z': [], 'a': {}}"],
  ['["it\'s"]', '["it\'s"]'],
  ['["it\'s \\"x\\""]', "['it\\'s \"x\"']"],
  ['["\\ud800"]', "['\\ud800']"],
  // Assigned in Unicode 15.0 and later: unassigned, hence escaped, for Unicode 14.0.
  ['["\\u0cf3","\\u1c89","\\ud83e\\udef8"]', "['\\u0cf3', '\\u1c89', '\\U0001faf8']"],
  // Assigned in 14.0 itself.
  ['["\\u061d\\ud83e\\udee0"]', "['\u061d\u{1fae0}']"],
  ['["\\u00a0\\u00ad\\u200d\\u3000\\ufeff"]', "['\\xa0\\xad\\u200d\\u3000\\ufeff']"],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['1e400', 'inf'],
];
for (const [json, text] of REPRS) {
  test(`str of ${json}`, () => {
    const value = parseJson(json);
    assert.ok(value.ok);
    assert.equal(pythonStr(value.value), text);
  });
}

test('str leaves text alone, repr quotes it', () => {
  assert.equal(pythonStr(" a'b "), " a'b ");
  assert.equal(pythonRepr('a'), "'a'");
});

test('printable characters and digits of Unicode 14.0', () => {
  assert.deepEqual([0x20, 0x7e, 0xe9, 0x1faf6, 0x10fffd, 0xd800, 0x7f, 0x378].map(isPythonPrintable), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  assert.deepEqual(
    ['0', '9', '٣', '𝟘', '𝟿', '²', 'a', '/'].map((c) => pythonDigitValue(c.codePointAt(0) ?? 0)),
    [0, 9, 3, 0, 9, -1, -1, -1],
  );
});

test('what goes on the wire encodes to the text that is stored', () => {
  const numbers = fc.oneof(
    fc.double().map(pythonFloatText),
    fc.bigInt().map(String),
    fc.string(),
    fc.constantFrom('1_000', ' 7 ', 'nan', '-0', '-0.0', '1e5', '1E+16', '٥', '007', '1e+16', ''),
  );
  fc.assert(
    fc.property(numbers, (text) =>
      assert.deepEqual(encodeValue('number', decodeValue('number', text)), { ok: true, value: text }),
    ),
  );
  for (const [text, wire] of [
    ['5', 5],
    ['5.0', 5],
    ['1e+16', 1e16],
  ] as const) {
    const value = decodeValue('number', text);
    assert.ok(value instanceof JsonNumber);
    assert.equal(Number(value.lexeme), wire);
  }
  assert.equal(decodeValue('null', 'null'), null);
  assert.equal(decodeValue('boolean', 'true'), true);
  assert.equal(decodeValue('boolean', 'maybe'), 'maybe');
  assert.equal(decodeValue('string', '5'), '5');
});
