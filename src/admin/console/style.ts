/** The console's style sheet: one file, system fonts, colours for light and dark side by side. */
import { COMPONENT_STYLE } from './style-components.ts';

export const CONSOLE_STYLE: string = `
:root {
  color-scheme: light dark;
  --bg: light-dark(#f7f7f8, #0f1012);
  --panel: light-dark(#ffffff, #16181b);
  --raised: light-dark(#f1f1f3, #1e2024);
  --shade: light-dark(rgb(20 22 40 / .16), rgb(0 0 0 / .7));
  --line: light-dark(#e3e3e7, #282b30);
  --line-strong: light-dark(#c9c9d0, #3c4047);
  --text: light-dark(#1b1c1f, #e6e7ea);
  --muted: light-dark(#5b5e66, #a0a4ac);
  --accent: light-dark(#3d4fd1, #97a4ff);
  --accent-soft: light-dark(#eceefc, #20243d);
  --on-accent: light-dark(#ffffff, #10121f);
  --ok: light-dark(#12703f, #5fce93);
  --ok-soft: light-dark(#e3f4ea, #12281d);
  --critical: light-dark(#b3122b, #ff8a98);
  --critical-soft: light-dark(#fdeaed, #35151b);
  --high: light-dark(#a33c00, #ffa26b);
  --high-soft: light-dark(#fdefe5, #331e11);
  --medium: light-dark(#7a5600, #e8c158);
  --medium-soft: light-dark(#fbf3d9, #2c240f);
  --low: light-dark(#265f9e, #82bdf5);
  --low-soft: light-dark(#e7f1fb, #14263a);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--bg); color: var(--text);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; font-synthesis-weight: none;
}
h1 { font-size: 20px; line-height: 1.3; font-weight: 640; letter-spacing: -.012em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 13.5px; font-weight: 620; margin: 0; letter-spacing: -.003em; }
h3 { font-size: 13px; font-weight: 600; margin: 0; }
p { margin: 0; }
a { color: var(--accent); text-decoration: none; text-underline-offset: 2px; }
a:hover { text-decoration: underline; }
p a { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: var(--mono); font-size: 12.5px; }
p code { background: var(--raised); padding: 1px 4px; border-radius: 4px; }
.muted { color: var(--muted); }
.small { font-size: 12.5px; }
.num { text-align: right; }
.nowrap { white-space: nowrap; }
.wrap { overflow-wrap: anywhere; }
.skip { position: absolute; left: -999em; top: 8px; background: var(--panel); padding: 6px 10px; z-index: 5; }
.skip:focus { left: 8px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.frame { display: grid; grid-template-columns: 208px minmax(0, 1fr); min-height: 100vh; background: linear-gradient(to right, var(--panel) 207px, var(--line) 207px 208px, transparent 208px); }
.side {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; display: flex; flex-direction: column; gap: 18px;
  padding: 16px 10px 12px; 
}
.brand { display: flex; gap: 9px; align-items: center; padding: 0 8px; min-width: 0; color: var(--text); }
.brand svg { flex: none; color: var(--accent); }
.brand b { display: block; font-weight: 640; line-height: 1.25; }
.brand span { display: block; color: var(--muted); font-size: 12px; line-height: 1.25; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.brand div { min-width: 0; }
nav ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1px; }
nav a { display: flex; align-items: center; gap: 9px; padding: 5px 8px; border-radius: 6px; color: var(--muted); font-weight: 500; }
nav a svg { flex: none; opacity: .85; }
nav a:hover { background: var(--raised); color: var(--text); text-decoration: none; }
nav a[aria-current] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
nav .count { margin-left: auto; font-size: 12px; padding: 0 6px; border-radius: 9px; background: var(--critical-soft); color: var(--critical); }
.side .who { margin-top: auto; padding: 10px 8px 0; border-top: 1px solid var(--line); display: grid; gap: 6px; font-size: 12.5px; }
.who button { margin-left: -8px; }
.who strong { font-weight: 600; overflow-wrap: anywhere; }
main { padding: 22px 28px 64px; min-width: 0; max-width: 1360px; }
.head { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 8px 16px; margin-bottom: 18px; }
.head > div:first-child { flex: 1 1 24rem; min-width: 0; }
.head .lede { color: var(--muted); margin-top: 3px; max-width: 74ch; }
.crumb { font-size: 12.5px; margin-bottom: 2px; }
.live { display: inline-flex; align-items: center; gap: 6px; font-size: 12px; color: var(--muted); white-space: nowrap; }
.live::before { content: ""; width: 7px; height: 7px; border-radius: 50%; background: var(--line-strong); }
.live[data-state="on"]::before { background: var(--ok); }
.live[data-state="off"]::before { background: var(--high); }
.grid { display: grid; gap: 16px; grid-template-columns: repeat(12, minmax(0, 1fr)); }
.grid { align-items: start; }
.grid > * { grid-column: span 12; min-width: 0; }
.stack { display: grid; gap: 16px; min-width: 0; grid-template-columns: minmax(0, 1fr); align-content: start; }
.stack > * { min-width: 0; }
@media (min-width: 1040px) {
  .w3 { grid-column: span 3; } .w4 { grid-column: span 4; } .w5 { grid-column: span 5; } .w6 { grid-column: span 6; }
  .w7 { grid-column: span 7; } .w8 { grid-column: span 8; }
}
@media (max-width: 760px) {
  .frame { display: block; background: none; }
  .side { position: static; height: auto; padding: 10px 12px 0; gap: 8px; border-bottom: 1px solid var(--line); background: var(--panel); }
  .side .who { margin: 0; padding: 0; border: 0; position: absolute; top: 12px; right: 12px; display: flex; align-items: center; }
  .side .who > :not(form) { display: none; }
  .brand { padding-right: 84px; }
  .side nav ul { display: flex; flex-wrap: wrap; gap: 0 2px; padding-bottom: 8px; }
  nav a { padding: 4px 8px; }
  nav[aria-label="Views"] { overflow-x: auto; margin: 0 -14px; padding: 0 14px; scrollbar-width: none; }
  nav[aria-label="Views"] .views { flex-wrap: nowrap; width: max-content; }
  nav a svg { display: none; }
  main { padding: 16px 14px 56px; }
  h1 { font-size: 18px; }
}
${COMPONENT_STYLE}
@media (prefers-reduced-motion: no-preference) {
  .fresh { animation: fresh 2.2s ease-out; }
  @keyframes fresh { from { background: var(--accent-soft); } }
}
@media (forced-colors: active) { .pill, .tile, .panel { border: 1px solid; } }
@media print { .side, .live, form { display: none; } .frame { display: block; } }
`;
