/**
 * Changes one setting in the text of a configuration and leaves everything else as it is, to the byte: comments, order, other lines. What
 * comes of it is parsed again, and is nothing unless this one value is the only difference. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import type { SettingInfo } from './settings.ts';
import { parseTomlText, type TomlTree } from './toml-file.ts';

/** A text, a whole number, true or false, or a list of texts. */
export type SettingValue = unknown;

export interface EditedText {
  readonly text: string;
  /** 1-based, of the setting. */
  readonly line: number;
}

/** @returns null: its place is written in a way that this does not change, such as a list over several lines */
export function editSetting(text: string, setting: SettingInfo, value: SettingValue): EditedText | null {
  const before = parseTomlText('', text);
  const written = literal(value);
  if (!before.ok || written === null) return null;
  const lines = text.split('\n');
  const at = before.value.lines.get(setting.key);
  const edited = at === undefined ? insert(lines, setting, written) : replace(lines, at, written);
  if (edited === null) return null;
  const after = parseTomlText('', edited.text);
  const wanted = withValue(before.value.tree, setting, value);
  return after.ok && isDeepStrictEqual(plain(after.value.tree), plain(wanted)) ? edited : null;
}

function replace(lines: readonly string[], line: number, written: string): EditedText | null {
  const old = lines[line - 1] ?? '';
  const head = /^(\s*"?[A-Za-z0-9_-]+"?\s*=\s*)(.*?)(\r?)$/.exec(old);
  const rest = head?.[2];
  const comment = rest === undefined ? null : commentOf(rest);
  if (head === null || comment === null) return null;
  return joined(lines.with(line - 1, `${head[1]}${written}${comment}${head[3]}`), line);
}

/** What stands behind a value in its line, with the space before it; null: the value does not end there. */
function commentOf(rest: string): string | null {
  const value = valueIn(rest);
  if (value === undefined) return null;
  for (let at = rest.indexOf('#'); at !== -1; at = rest.indexOf('#', at + 1)) {
    const short = rest.slice(0, at).trimEnd();
    if (isDeepStrictEqual(valueIn(short), value)) return rest.slice(short.length);
  }
  return '';
}

function valueIn(text: string): unknown {
  try {
    return parse(`x = ${text}`)['x'];
  } catch {
    return undefined;
  }
}

/** Behind the header of its section, which is made at the end where there is none; above all sections what belongs to none. */
function insert(lines: readonly string[], { section, name }: SettingInfo, written: string): EditedText | null {
  const own = `${name} = ${written}`;
  const isHeader = (line: string): boolean => /^\s*\[/.test(line);
  if (section === null) {
    const first = lines.findIndex(isHeader);
    const at = first === -1 ? lines.length : first;
    return joined([...lines.slice(0, at), own, ...lines.slice(at)], at + 1);
  }
  const header = lines.findIndex((line) => /^\s*\[\s*([A-Za-z0-9_-]+)\s*\]/.exec(line)?.[1] === section);
  if (header !== -1) return joined(lines.toSpliced(header + 1, 0, own), header + 2);
  const end = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  return joined([...end, '', `[${section}]`, own, ''], end.length + 3);
}

function joined(lines: readonly string[], line: number): EditedText {
  return { text: lines.join('\n'), line };
}

/** As TOML; a text of JSON is one of TOML, but for a character that JSON leaves as it is. */
function literal(value: SettingValue): string | null {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  if (!Array.isArray(value)) return null;
  const items = value.map(literal);
  return items.includes(null) ? null : `[${items.join(', ')}]`;
}

function withValue(tree: TomlTree, { section, name }: SettingInfo, value: SettingValue): TomlTree {
  if (section === null) return { ...tree, [name]: value };
  const table = tree[section] ?? {};
  return typeof table === 'object' ? { ...tree, [section]: { ...table, [name]: value } } : tree;
}

/** The parser's tables have no prototype; for comparing, all are alike. */
function plain(tree: TomlTree): unknown {
  return JSON.parse(JSON.stringify(tree));
}
