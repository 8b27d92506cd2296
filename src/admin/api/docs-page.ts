/** The OpenAPI document as a page for people: plain HTML, made here, no scripts, nothing fetched. */

/** Allowed by its hash in the page's policy: any change of it changes the policy too. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d6d6d6, #444); --soft: light-dark(#f5f5f5, #1d1d1d); --link: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
a { color: var(--link); }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code, .method { font-family: ui-monospace, monospace; font-size: .9em; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .75rem; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
details > div { padding: 0 .75rem .75rem; }
.method { display: inline-block; min-width: 4.5em; font-weight: 700; }
table { border-collapse: collapse; width: 100%; margin: .25rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
td:first-child { width: 14rem; }
.muted { opacity: .75; }
.skip { position: absolute; left: -999px; } .skip:focus { position: static; }
`;

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Content {
  readonly [mediaType: string]: { readonly schema?: Schema };
}
interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}
/** The part of an OpenAPI 3.1 document that the page shows. */
export interface Spec {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** Renders a document. Every text of it is escaped. */
export function docsPage(spec: Spec): string {
  const operations = Object.entries(spec.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))];
  const sections = tags.map((tag) => {
    const mine = operations.filter(({ operation }) => operation.tags?.includes(tag));
    return `<section id="${id(tag)}"><h2>${esc(tag)}</h2>${mine.map(operationHtml).join('')}</section>`;
  });
  const schemas = Object.entries(spec.components?.schemas ?? {}).map(schemaHtml);
  const title = `${esc(spec.info.title)} ${esc(spec.info.version)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${DOCS_STYLE}</style></head>
<body><a class="skip" href="#main">Skip to the endpoints</a>
<header><h1>${title}</h1>${prose(spec.info.description)}
<p>For programs: <a href="/openapi.json">openapi.json</a>. Send a key as <code>Authorization: Bearer smk_…</code>:</p>
<pre><code>curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8765/v1/me</code></pre>
<nav aria-label="Sections">${tags.map((tag) => `<a href="#${id(tag)}">${esc(tag)}</a>`).join(' · ')} · <a href="#shapes">Shapes</a></nav></header>
<main id="main">${sections.join('')}<section id="shapes"><h2>Shapes</h2>${schemas.join('')}</section></main></body></html>
`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const head = `<span class="method">${esc(method)}</span> <code>${esc(path)}</code> <span class="muted">${esc(operation.summary ?? '')}</span>`;
  const access = operation.security === undefined ? '<p class="muted">No key needed.</p>' : '';
  return `<details id="${id(`${method}-${path}`)}"><summary>${head}</summary><div>${prose(operation.description)}${access}${parametersHtml(operation)}${bodyHtml(operation)}${responsesHtml(operation)}</div></details>`;
}

function parametersHtml({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map((parameter) => {
    const notes = [parameter.description, defaultText(parameter.schema)].filter(
      (note) => note !== undefined && note !== '',
    );
    const kind = `${typeHtml(parameter.schema)} <span class="muted">in ${esc(parameter.in)}${parameter.required === true ? ', required' : ''}</span>`;
    return `<tr><td><code>${esc(parameter.name)}</code></td><td>${kind}<br>${inline(notes.join(' '))}</td></tr>`;
  });
  return `<h3>Parameters</h3><table>${rows.join('')}</table>`;
}

function bodyHtml({ requestBody }: Operation): string {
  return requestBody === undefined ? '' : `<h3>Body</h3><p>${contentHtml(requestBody.content)}</p>`;
}

function responsesHtml({ responses }: Operation): string {
  const rows = Object.entries(responses).map(
    ([status, { description, content }]) =>
      `<tr><td>${esc(status)}</td><td>${inline(description)}${content === undefined ? '' : `<br>${contentHtml(content)}`}</td></tr>`,
  );
  return `<h3>Answers</h3><table>${rows.join('')}</table>`;
}

function contentHtml(content: Content): string {
  return Object.entries(content)
    .map(([mediaType, { schema }]) => `<code>${esc(mediaType)}</code> ${typeHtml(schema)}`)
    .join('<br>');
}

function schemaHtml([name, schema]: [string, Schema]): string {
  const rows = Object.entries(schema.properties ?? {}).map(([member, type]) => {
    const required = schema.required?.includes(member) === true ? '' : ' <span class="muted">optional</span>';
    const notes = [type.description, defaultText(type)].filter((note) => note !== undefined && note !== '').join(' ');
    return `<tr><td><code>${esc(member)}</code>${required}</td><td>${typeHtml(type)}${notes === '' ? '' : `<br>${inline(notes)}`}</td></tr>`;
  });
  const body = rows.length === 0 ? `<p>${typeHtml(schema)}</p>` : `<table>${rows.join('')}</table>`;
  return `<details id="${id(`shape-${name}`)}"><summary><code>${esc(name)}</code></summary><div>${prose(schema.description)}${body}</div></details>`;
}

/** Nested shapes are shown as far as they have no name of their own. */
function typeHtml(schema: Schema | undefined): string {
  if (schema === undefined) return 'any JSON';
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    return `<a href="#${id(`shape-${name}`)}">${esc(name)}</a>`;
  }
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (options !== undefined) return options.map(typeHtml).join(' or ');
  if (schema.enum !== undefined)
    return schema.enum.map((word) => `<code>${esc(JSON.stringify(word))}</code>`).join(' or ');
  if (schema.const !== undefined) return `<code>${esc(JSON.stringify(schema.const))}</code>`;
  if (schema.items !== undefined) return `list of ${typeHtml(schema.items)}`;
  const members = Object.entries(schema.properties ?? {});
  if (members.length > 0)
    return `{ ${members.map(([name, type]) => `<code>${esc(name)}</code>: ${typeHtml(type)}`).join(', ')} }`;
  return esc(schema.type === undefined ? 'any JSON' : [schema.type].flat().join(' or '));
}

function defaultText(schema: Schema | undefined): string {
  return schema?.default === undefined ? '' : `Default: \`${JSON.stringify(schema.default)}\`.`;
}

/** Paragraphs of a description; only `code` marks are read. */
function prose(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  return text
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('');
}

function inline(text: string): string {
  return esc(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function id(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function esc(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
