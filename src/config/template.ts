import { checkSettings, SECTIONS, SETTINGS, type SettingInfo } from './settings.ts';
import { SINK_SETTINGS } from './sink-settings.ts';

const WIDTH = 110;
const HEAD = [
  'Configuration of one stigmem-peerd node.',
  'A flag (`run --set api.port=9000`) wins over an environment variable, that over this file, this file over the default.',
  'An unknown key is an error. Keys and tokens are not settings: they stand in files of their own under keys/.',
];

/**
 * The commented configuration file with every setting at its default.
 *
 * @param nodeId must be a valid node id
 * @throws Error if it is not
 */
export function renderConfig(nodeId: string): string {
  const checked = checkSettings({ node_id: nodeId });
  if (!checked.ok) throw new Error(`not a node id: ${nodeId}`);
  const values = new Map<string, unknown>(Object.entries(checked.value));
  const lines = HEAD.flatMap((sentence) => comment(sentence));
  lines.push('');
  for (const setting of SETTINGS.filter(({ section }) => section === null)) {
    lines.push(...settingLines(setting, values.get(setting.name)), '');
  }
  for (const section of SECTIONS) {
    const inner = new Map<string, unknown>(Object.entries(values.get(section.name) ?? {}));
    lines.push(...comment(section.doc), `[${section.name}]`);
    for (const setting of SETTINGS.filter((candidate) => candidate.section === section.name)) {
      lines.push(...settingLines(setting, inner.get(setting.name)), '');
    }
  }
  lines.push(...sinkLines());
  return `${lines.join('\n').trimEnd()}\n`;
}

/** There are any number of them, and none by default: the example is a comment, at the end, where a table belongs. */
function sinkLines(): string[] {
  const head = 'Who receives the audit log: a table for each, at the end of this file. docs/siem.md says what is sent.';
  const keys = SINK_SETTINGS.flatMap(({ name, doc, example }) => [...comment(doc), `#${name} = ${tomlValue(example)}`]);
  return [...comment(head), '#[[sink]]', ...keys];
}

function settingLines(setting: SettingInfo, value: unknown): string[] {
  const lines = comment(setting.doc);
  if (setting.env.length > 0) lines.push(`# Environment: ${setting.env.join(', ')}`);
  return [...lines, `${setting.name} = ${tomlValue(value)}`];
}

function comment(sentence: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of sentence.split(' ')) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Defaults hold nothing but printable texts, whole numbers, booleans and lists of texts: JSON and TOML agree on them. */
function tomlValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(tomlValue).join(', ')}]` : JSON.stringify(value);
}
