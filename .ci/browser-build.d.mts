import type { BuildOptions } from 'esbuild';

export function browserBuild(outfile: string): BuildOptions;

export function consoleBuild(outfile: string): BuildOptions;
