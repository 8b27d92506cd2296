/**
 * What the public entry declares, as docs/library.md prints it: signatures and comments are copied out of the source, so
 * that the page cannot say anything else. `node test/support/library-declarations.ts` brings the page up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const ENTRY = join(ROOT, 'src/client/core.ts');
export const PAGE: string = join(ROOT, 'docs/library.md');

/** Public name -> its declaration with its comment, under its public name. */
export function declarations(): Map<string, string> {
  const found = new Map<string, string>();
  const modules = new Map<string, Map<string, string>>();
  for (const statement of parse(readFileSync(ENTRY, 'utf8')).statements) {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) continue;
    const path = resolve(dirname(ENTRY), (statement.moduleSpecifier as ts.StringLiteral).text);
    const { elements } = statement.exportClause as ts.NamedExports;
    // A name that the entry changes is changed wherever its module speaks of it.
    const publicly = (text: string): string =>
      elements.reduce((changed, { name, propertyName }) => renamed(changed, propertyName?.getText(), name.text), text);
    for (const { name, propertyName } of elements)
      found.set(name.text, publicly(declared(path, (propertyName ?? name).getText(), modules)));
  }
  return found;
}

function renamed(text: string, own: string | undefined, name: string): string {
  return own === undefined ? text : text.replaceAll(new RegExp(`\\b${own}\\b`, 'g'), name);
}

function declared(path: string, name: string, modules: Map<string, Map<string, string>>): string {
  const known = modules.get(path) ?? declaredIn(path, modules);
  modules.set(path, known);
  const text = known.get(name);
  if (text === undefined) throw new Error(`${relative(ROOT, path)} declares no ${name}`);
  return text;
}

function declaredIn(path: string, modules: Map<string, Map<string, string>>): Map<string, string> {
  const { outputText } = ts.transpileDeclaration(readFileSync(path, 'utf8'), {
    fileName: path,
    compilerOptions: { stripInternal: false },
  });
  const all = new Map<string, string>();
  for (const statement of parse(outputText).statements) {
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined) {
      const from = resolve(dirname(path), (statement.moduleSpecifier as ts.StringLiteral).text);
      for (const { name } of (statement.exportClause as ts.NamedExports).elements)
        all.set(name.text, declared(from, name.text, modules));
      continue;
    }
    const own = nameOf(statement);
    if (own === undefined) continue;
    // Overload by kind: a constant and a type of one name are printed one after the other.
    const text = commentAnd(statement, outputText);
    all.set(own, all.has(own) ? `${all.get(own)}\n${text}` : text);
  }
  return all;
}

/** The comment right above a declaration belongs to it; one at the top of the file does not. */
function commentAnd(statement: ts.Statement, text: string): string {
  const comment = ts.getLeadingCommentRanges(text, statement.getFullStart())?.at(-1);
  const printed = statement
    .getText()
    .replace(/^export declare /, '')
    .replace(/^export /, '')
    .replaceAll('    ', '  ');
  return comment === undefined ? printed : `${text.slice(comment.pos, comment.end)}\n${printed}`;
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText();
  const named = statement as ts.Statement & { readonly name?: ts.Identifier };
  return named.name?.text;
}

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest, true);
}

const BLOCK = /<!-- declares: ([^>]*?) -->\n(?:```ts\n[\s\S]*?```\n)?/g;

/** The page with each block of declarations filled in. */
export function filled(page: string): string {
  const all = declarations();
  return page.replaceAll(BLOCK, (_block, names: string) => {
    const texts = names.split(/\s+/).map((name) => all.get(name) ?? `// ${name} is not exported`);
    return `<!-- declares: ${names} -->\n\`\`\`ts\n${texts.join('\n\n')}\n\`\`\`\n`;
  });
}

/** Every name that the page declares. */
export function namesIn(page: string): string[] {
  return [...page.matchAll(BLOCK)].flatMap(([, names = '']) => names.split(/\s+/));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8')));
