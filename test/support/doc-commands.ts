/** Command lines of this program that people are told to type: in documents, deployment files, and in what the program says itself. */
import { globSync, readFileSync } from 'node:fs';

export interface DocCommand {
  /** `docs/OPERATIONS.md:12` */
  readonly at: string;
  /** As it stands there, continuation lines joined. */
  readonly text: string;
  /** Behind `stigmem-peerd`: words as a shell would give them. */
  readonly words: readonly string[];
  /** In a block, to be typed as it is; else in a sentence, where a part of it may be meant. */
  readonly isWhole: boolean;
}

export const DOCUMENTS: readonly string[] = globSync(
  [
    '*.md',
    'docs/**/*.md',
    'peers/*.md',
    'deploy/**/*.{md,yml,yaml,service,conf}',
    'deploy/**/Containerfile',
    'deploy/**/Caddyfile',
  ],
  { exclude: ['CHANGELOG.md', 'docs/security-review.md', 'node_modules/**'] },
).sort();

const FENCE = /^\s*```/;
const NAME = 'stigmem-peerd';
/** What may stand before the program's name in a block: a prompt, somebody else's shell, a container. */
const BEFORE =
  /^(?:[a-z]*\$ |\$ )?(?:runuser -u \S+ -- |podman exec \S+ |podman-compose exec \S+ |kubectl exec (?:\S+ )*?-- |\S*systemd-run (?:\S+ )*?)?$/;

/** Every command line in a document. @param commands names of the commands: what sentences leave the program's name out of */
export function commandsIn(file: string, commands: ReadonlySet<string>): readonly DocCommand[] {
  return file.endsWith('.md') ? inMarkdown(file, readFileSync(file, 'utf8'), commands) : inData(file);
}

function inMarkdown(file: string, text: string, commands: ReadonlySet<string>): readonly DocCommand[] {
  const found: DocCommand[] = [];
  const lines = text.split('\n');
  let fence: string | null = null;
  for (let index = 0; index < lines.length; index++) {
    const at = `${file}:${index + 1}`;
    let line = lines[index] ?? '';
    if (FENCE.test(line)) fence = fence === null ? line.trim() : null;
    else if (fence === null) found.push(...inSentence(at, line, lines[index + 1] ?? '', commands));
    else {
      while (line.endsWith('\\')) line = `${line.slice(0, -1)}${(lines[++index] ?? '').trimStart()}`;
      found.push(...inBlock(at, line));
    }
  }
  return found;
}

function inBlock(at: string, line: string): readonly DocCommand[] {
  const found: DocCommand[] = [];
  for (const part of simpleCommands(line.replace(/ {3,}\S.*$/, ''))) {
    const start = part.indexOf(`${NAME} `);
    if (start < 0 || !BEFORE.test(part.slice(0, start).trimStart())) continue;
    const text = part.slice(start).trim();
    found.push({ at, text, words: shellWords(text).slice(1), isWhole: true });
  }
  return found;
}

/** `code` in a sentence; one that a line end divides counts to the line where it begins. */
function inSentence(at: string, line: string, next: string, commands: ReadonlySet<string>): readonly DocCommand[] {
  const isDivided = (line.match(/`/g) ?? []).length % 2 === 1;
  const text = isDivided ? `${line} ${next.slice(0, next.indexOf('`') + 1).trimStart()}` : line;
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
    const named = code.startsWith(`${NAME} `);
    const [first = ''] = simpleCommands(code);
    const words = shellWords(named ? first.slice(NAME.length + 1) : first);
    if (!named && !commands.has(words[0] ?? '')) return [];
    return [{ at, text: code, words, isWhole: false }];
  });
}

/** Comments and sentences of a file that is no document. */
function inData(file: string): readonly DocCommand[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index, lines) => inSentence(`${file}:${index + 1}`, line, lines[index + 1] ?? '', NONE));
}
const NONE: ReadonlySet<string> = new Set();

/** What the program says in messages and fixes, as `src/…:12`; what stands in a template's place is `X`. */
export function commandsInSources(): readonly DocCommand[] {
  return globSync('src/**/*.ts')
    .sort()
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          [...line.replaceAll(/\$\{[^}]*\}/g, 'X').matchAll(/stigmem-peerd ([a-z][^'"`;,:()\\]*)/g)].map(
            ([text, said = '']) => {
              return { at: `${file}:${index + 1}`, text, words: shellWords(said), isWhole: false };
            },
          ),
        ),
    );
}

/** The examples of a help text. */
export function commandsInHelp(of: string, help: string): readonly DocCommand[] {
  const lines = help.replaceAll(/\\\n\s*/g, '').split('\n');
  return lines.flatMap((line) => inBlock(of, line.trim()));
}

/** A line without its comment, cut at pipes, `;`, `&&` and `&`. Quotes and `$( )` keep what is in them. */
function simpleCommands(line: string): readonly string[] {
  const parts: string[] = [''];
  let quote = '';
  let depth = 0;
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? '';
    const isBare = quote === '' && depth === 0;
    if (isBare && char === '#' && (index === 0 || line[index - 1] === ' ')) break;
    if (quote === '' && line.startsWith('$(', index)) depth++;
    else if (depth > 0 && char === ')') depth--;
    else if (depth === 0 && (char === '"' || char === "'")) quote = quote === '' ? char : quote === char ? '' : quote;
    if (isBare && (char === '|' || char === ';' || char === '&')) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Splits as a shell does; a redirection and what follows it is left out, `$(…)` and `{{…}}` are one word. */
export function shellWords(text: string): readonly string[] {
  const words = [...text.matchAll(/(?:"[^"]*"|'[^']*'|\$\([^)]*\)|\{\{[^}]*\}\}|[^\s"'])+/g)].map(([word]) => word);
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    if (/^(?:[0-9]?>>?|<)$/.test(words[index] ?? '')) index++;
    else kept.push((words[index] ?? '').replaceAll(/"([^"]*)"|'([^']*)'/g, (_, twice, once) => twice ?? once ?? ''));
  }
  return kept;
}
