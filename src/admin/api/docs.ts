import { hash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { DOCS_STYLE, docsPage } from './docs-page.ts';
import { answer, jsonText } from './responses.ts';
import { type Apparatus, addOpenRoute, NO_QUERY } from './route.ts';

const ABOUT = `Facts in, facts out, and what happened to those that did not verify.

Errors are JSON objects with \`detail\`: a sentence, an object with \`code\` and \`message\`, or for a 422 the list of
problems with the input. Numbers in \`value.v\` keep the text they were asserted with.

Permissions of a key: \`read\`, \`write\`, \`federate\` (peers and audit log), \`audit.read\` (audit log), \`admin\`
(all of these and the keys), and \`instruction:write\`, which no other permission implies.`;

/** Adds the OpenAPI document and the page made of it. Both describe every route of the API. */
export function addDocs(apparatus: Apparatus): void {
  const { app } = apparatus;
  // Made when it is asked for: it takes a fifth of a short command's time, and hardly any asks for it.
  let made: Documents | undefined;
  const documents = (): Documents => {
    made ??= makeDocuments(apparatus);
    return made;
  };
  const document = {
    method: 'get',
    path: '/openapi.json',
    tag: 'Documentation',
    summary: 'This API as OpenAPI 3.1',
    query: NO_QUERY,
    responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.looseObject({}) } } } },
  } as const;
  addOpenRoute(apparatus, document, async () => jsonText(200, documents().text));

  const docs = {
    method: 'get',
    path: '/docs',
    tag: 'Documentation',
    summary: 'This API for people',
    query: NO_QUERY,
    responses: { 200: { description: 'a page without scripts', content: { 'text/html': { schema: z.string() } } } },
  } as const;
  // Nothing but the page's own style sheet is let in: no script runs and nothing is fetched.
  const csp = `default-src 'none'; style-src 'sha256-${hash('sha256', DOCS_STYLE, 'base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;
  addOpenRoute(apparatus, docs, async () =>
    answer(200, 'text/html; charset=utf-8', documents().page, { 'content-security-policy': csp }),
  );

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: `stigmem-peerd key create`.',
  });
}

interface Documents {
  readonly text: string;
  readonly page: string;
}

function makeDocuments({ app, deps }: Apparatus): Documents {
  const spec = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: `${deps.node.software} admin API`, version: deps.node.version, description: ABOUT },
    servers: [{ url: '/' }],
  });
  const text = JSON.stringify(spec);
  return { text, page: docsPage(JSON.parse(text)) };
}
