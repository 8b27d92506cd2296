// The client for browsers. They have none of Node's modules: small ones of our own over audited packages stand in for them.
export function browserBuild(outfile) {
  const shim = (name) => `${import.meta.dirname}/../src/client/shims/${name}.ts`;
  return {
    entryPoints: [`${import.meta.dirname}/../src/client/browser.ts`],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome137', 'firefox139', 'safari18.4'],
    alias: { 'node:crypto': shim('crypto'), 'node:zlib': shim('zlib'), 'node:buffer': shim('buffer') },
    inject: [shim('buffer-global')],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    logLevel: 'warning',
  };
}

// The console's own script.
export function consoleBuild(outfile) {
  return {
    entryPoints: [`${import.meta.dirname}/../src/admin/console/browser/console.ts`],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome137', 'firefox139', 'safari18.4'],
    minify: true,
    logLevel: 'warning',
  };
}
