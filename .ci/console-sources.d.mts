export function registerJsx(): void;
export function browserScripts(): Promise<{ readonly script: string; readonly verifier: string }>;
