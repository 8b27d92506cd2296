import { readFileSync, statSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { err, ok, type Result } from '../core/result.ts';
import { type ConfigProblem, shownName } from './problem.ts';

/** A file larger than this is no configuration; it is refused before it is read. */
const MAX_TOML_BYTES = 1_048_576;
const MAX_TOML_DEPTH = 8;

export type TomlTree = Record<string, unknown>;

export interface TomlFile {
  readonly tree: TomlTree;
  /** 1-based line of `section.key`, as far as plain `key = value` lines and `[section]` headers tell. */
  readonly lines: ReadonlyMap<string, number>;
}

/** `missing` is told from the other failures because it has another remedy. */
export interface TomlFileError {
  readonly missing: boolean;
  readonly problem: ConfigProblem;
}

/** Reads and parses one TOML file. Never throws for what is in the file, or for a file that cannot be read. */
export function readTomlFile(path: string): Result<TomlFile, TomlFileError> {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > MAX_TOML_BYTES) {
      const message = `expected at most ${MAX_TOML_BYTES} bytes, got ${size}`;
      return refused(path, message, 'Check that this is the file you meant.');
    }
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (thrown) {
    return unreadable(path, thrown);
  }
  return parseTomlText(path, text);
}

/** @param name what errors call the text: the path it came from */
export function parseTomlText(name: string, text: string): Result<TomlFile, TomlFileError> {
  try {
    return ok({ tree: parse(text, { maxDepth: MAX_TOML_DEPTH }), lines: lineIndex(text) });
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) {
      return refused(
        name,
        `expected TOML, got text that cannot be parsed (${shownName(String(thrown))})`,
        'Mend the file.',
      );
    }
    const reason = thrown.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '';
    const line = text.split(/\r?\n/)[thrown.line - 1]?.trim() ?? '';
    const message = `expected TOML, got ${JSON.stringify(line.slice(0, 80))} (${shownName(reason)})`;
    return refused(`${name}:${thrown.line}`, message, 'Mend this line; texts need quotes, lists need [ ].');
  }
}

function unreadable(path: string, thrown: unknown): Result<never, TomlFileError> {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : null;
  if (code === 'ENOENT') {
    const problem = { where: path, key: null, message: 'expected a file, got nothing', fix: 'Create it.' };
    return err({ missing: true, problem });
  }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return refused(path, 'expected UTF-8 text, got other bytes', 'Save the file as UTF-8.');
  }
  const message = `expected a readable file, got ${code ?? String(thrown)}`;
  return refused(path, message, 'Check that it is a file and that this user may read it.');
}

function refused(where: string, message: string, fix: string): Result<never, TomlFileError> {
  return err({ missing: false, problem: { where, key: null, message, fix } });
}

function lineIndex(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let section = '';
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*([A-Za-z0-9_.-]+)\s*\]/.exec(line)?.[1];
    const key = /^\s*"?([A-Za-z0-9_.-]+)"?\s*=/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const name = header ?? (key === undefined ? undefined : section === '' ? key : `${section}.${key}`);
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}
