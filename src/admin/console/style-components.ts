/** Panels, tables, pills, forms and pictures. */
export const COMPONENT_STYLE = `
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 9px; }
.panel > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 10px; padding: 11px 14px 0; }
.panel > header h2 { flex: 1 1 auto; }
.panel > .body { padding: 10px 14px 14px; }
.panel > .body:empty { display: none; }
.panel > header:last-child { padding-bottom: 12px; }
/* A shadow at a side says that there is more of the table behind it. */
.scroll {
  overflow-x: auto; border-radius: 0 0 8px 8px;
  background:
    linear-gradient(to right, var(--panel) 12px, transparent 24px) left / 24px 100% no-repeat local,
    linear-gradient(to left, var(--panel) 12px, transparent 24px) right / 24px 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent 10px) left / 10px 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent 10px) right / 10px 100% no-repeat scroll;
}
.panel > .scroll { padding-top: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-weight: 500; color: var(--muted); font-size: 12px; padding: 5px 10px; white-space: nowrap; border-bottom: 1px solid var(--line); }
td { padding: 7px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 14px; }
th:last-child, td:last-child { padding-right: 14px; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { color: var(--text); font-size: 13px; font-weight: 560; white-space: normal; padding-top: 7px; padding-bottom: 7px; vertical-align: top; }
tbody th .muted { font-weight: 400; }
th.num, td.num { text-align: right; }
td.wrap, tbody th.wrap { min-width: 8.5rem; }
td.wide { min-width: 15rem; }
td.pick { width: 1%; padding-right: 0; }
td.pick label { display: block; padding: 2px; }
tbody tr[data-row]:hover { background: var(--raised); }
tbody tr[data-row][data-on] { background: var(--accent-soft); box-shadow: inset 2px 0 var(--accent); }
.empty { padding: 22px 14px 24px; color: var(--muted); text-align: center; }
dl.pairs { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 16px; margin: 0; font-size: 13px; }
dl.pairs dt { color: var(--muted); }
dl.pairs dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 9px; overflow: hidden; }
.tile { flex: 1 1 126px; background: var(--panel); padding: 11px 14px 12px; color: inherit; }
a.tile:hover { background: var(--raised); text-decoration: none; }
.tile dt, .tile .label { color: var(--muted); font-size: 12px; }
.tile .value { font-size: 20px; font-weight: 600; line-height: 1.3; letter-spacing: -.015em; display: flex; align-items: baseline; gap: 6px; }
.tile .value small { font-size: 12px; font-weight: 450; letter-spacing: 0; color: var(--muted); }
.pill { display: inline-flex; align-items: center; gap: 6px; padding: 0 7px; height: 20px; border-radius: 10px; font-size: 12px; font-weight: 550; white-space: nowrap; background: var(--raised); color: var(--muted); line-height: 1; }
.pill::before { content: ""; flex: none; width: 6px; height: 6px; border-radius: 50%; background: currentColor; }
.pill.plain::before { display: none; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); } .good { color: var(--ok); }
.pill.critical { background: var(--critical-soft); } .pill.high { background: var(--high-soft); } .pill.medium { background: var(--medium-soft); }
.pill.low { background: var(--low-soft); } .pill.good { background: var(--ok-soft); }
.pill.accent { background: var(--accent-soft); color: var(--accent); }
.severities { display: grid; gap: 9px; }
.severities a, .severities > div { display: grid; grid-template-columns: 78px minmax(0, 1fr) 44px; gap: 10px; align-items: center; color: inherit; font-size: 13px; }
.severities svg { width: 100%; height: 8px; display: block; }
.bar-back { fill: var(--raised); } .bar { fill: currentColor; }
.notice { padding: 9px 13px; border-radius: 8px; border: 1px solid var(--line); background: var(--panel); margin-bottom: 16px; display: flex; gap: 10px; align-items: baseline; }
.notice.done { background: var(--ok-soft); border-color: transparent; }
.notice.failed { background: var(--critical-soft); border-color: transparent; }
.notice.warn { background: var(--medium-soft); border-color: transparent; }
.notice strong { white-space: nowrap; }
form { margin: 0; }
.filters { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: end; }
.field { display: grid; gap: 3px; min-width: 0; font-size: 12px; color: var(--muted); }
.field.grow { flex: 1 1 12rem; }
input, select, textarea, button, .button { font: inherit; font-size: 13px; color: var(--text); }
input:not([type="checkbox"]):not([type="radio"]), select, textarea {
  width: 100%; padding: 5px 9px; min-height: 32px; border: 1px solid var(--line-strong); border-radius: 6px; background: var(--panel);
}
input[type="checkbox"] { width: 15px; height: 15px; accent-color: var(--accent); margin: 0; }
textarea { min-height: 62px; resize: vertical; display: block; }
.check { display: inline-flex; gap: 7px; align-items: center; min-height: 32px; font-size: 13px; color: var(--text); }
button, .button {
  display: inline-flex; align-items: center; gap: 6px; min-height: 32px; padding: 0 12px; border-radius: 6px; cursor: pointer; font-weight: 540;
  border: 1px solid var(--line-strong); background: var(--panel); white-space: nowrap; text-decoration: none;
}
button:hover, .button:hover { background: var(--raised); text-decoration: none; }
button.main, .button.main { background: var(--accent); border-color: transparent; color: var(--on-accent); }
button.main:hover, .button.main:hover { filter: brightness(1.07); }
button.danger { color: var(--critical); }
button.quiet { border-color: transparent; background: none; padding: 0 8px; min-height: 28px; color: var(--muted); }
button.quiet:hover { background: var(--raised); color: var(--text); }
.actions { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.form { display: grid; gap: 9px; }
.form.two { grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); }
details > summary { cursor: pointer; font-weight: 540; padding: 2px 0; }
details[open] > summary { margin-bottom: 9px; }
.setting code { font-weight: 600; }
.setting p { font-weight: 400; max-width: 74ch; margin-top: 1px; }
/* The fields that a step takes are there when it is chosen; where a browser does not know :has(), all of them are. */
.for { display: contents; }
@supports selector(:has(*)) {
  #bulk:not(:has(option[value="resolve"]:checked)) [data-for="resolve"],
  #bulk:not(:has(option[value="assign"]:checked)) [data-for="assign"],
  #bulk:not(:has(option[value="suppress"]:checked)) [data-for="suppress"] { display: none; }
}
.progress { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; }
progress { flex: 1 1 12rem; height: 8px; appearance: none; border: 0; border-radius: 4px; overflow: hidden; background: var(--raised); accent-color: var(--accent); }
progress::-webkit-progress-bar { background: var(--raised); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
details.more { border-top: 1px solid var(--line); padding: 9px 14px; }
.words { display: grid; grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); gap: 4px 14px; margin: 0; padding-left: 22px; font-family: var(--mono); font-size: 13px; }
.words li::marker { color: var(--muted); font-size: 11px; }
pre { margin: 0; padding: 10px 12px; border-radius: 7px; background: var(--raised); font: 12px/1.55 var(--mono); overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 360px; }
.compare { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
.compare h3 { margin-bottom: 5px; }
.compare pre { max-height: 300px; }
.compare .same { color: var(--muted); }
.compare mark { background: var(--critical-soft); color: var(--critical); font-weight: 650; border-radius: 3px; padding: 0 1px; box-shadow: 0 0 0 1px currentColor; }
.compare .right mark { background: var(--ok-soft); color: var(--ok); }
.timeline { list-style: none; margin: 0; padding: 0 0 0 18px; position: relative; display: grid; gap: 14px; }
.timeline::before { content: ""; position: absolute; left: 4px; top: 7px; bottom: 7px; width: 1px; background: var(--line-strong); }
.timeline > li { position: relative; min-width: 0; }
.timeline > li::before { content: ""; position: absolute; left: -18px; top: 6px; width: 9px; height: 9px; border-radius: 50%; background: var(--panel); border: 2px solid var(--line-strong); }
.timeline > li.mark::before { border-color: var(--accent); background: var(--accent); }
.timeline .at { color: var(--muted); font-size: 12px; }
.timeline p { overflow-wrap: anywhere; white-space: pre-wrap; }
.views { display: flex; flex-wrap: wrap; gap: 4px; list-style: none; margin: 0; padding: 0; }
.views a { display: inline-flex; gap: 6px; padding: 4px 10px; border-radius: 6px; color: var(--muted); font-weight: 520; font-size: 13px; }
.views a:hover { background: var(--raised); text-decoration: none; color: var(--text); }
.views a[aria-current] { background: var(--accent-soft); color: var(--accent); }
.views .n { font-weight: 450; }
.verdict { display: grid; gap: 7px; }
.verdict ol { margin: 0; padding-left: 20px; display: grid; gap: 3px; font-size: 13px; overflow-wrap: anywhere; }
.keys { display: grid; grid-template-columns: max-content 1fr; gap: 5px 14px; margin: 0; font-size: 13px; }
.keys dd { margin: 0; }
kbd { font: 11.5px/1 var(--mono); padding: 2px 5px; border: 1px solid var(--line-strong); border-bottom-width: 2px; border-radius: 4px; background: var(--panel); }
dialog { border: 1px solid var(--line-strong); border-radius: 10px; background: var(--panel); color: var(--text); padding: 16px 18px; max-width: min(94vw, 420px); }
dialog::backdrop { background: rgb(0 0 0 / .38); }
.picture { display: block; width: 100%; height: auto; }
.picture.proof { max-width: 600px; min-width: 460px; }
.picture text { fill: var(--text); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.picture .t-muted { fill: var(--muted); font-size: 11px; }
.picture .t-mono { font-family: var(--mono); font-size: 11px; }
.picture .t-strong { font-weight: 620; font-size: 13px; }
.edge { stroke: var(--line-strong); stroke-width: 1.5; fill: none; }
.edge.good { stroke: var(--ok); } .edge.low { stroke: var(--low); } .edge.high { stroke: var(--high); stroke-dasharray: 5 4; } .edge.critical { stroke: var(--critical); stroke-dasharray: 2 4; } .edge.medium { stroke: var(--medium); stroke-dasharray: 5 4; }
.node { fill: var(--panel); stroke: var(--line-strong); stroke-width: 1.25; }
.node.self { fill: var(--accent-soft); stroke: var(--accent); }
.node.on { fill: var(--accent-soft); stroke: var(--accent); }
.node.given { fill: var(--raised); stroke-dasharray: 3 2; }
.node.root { stroke: var(--ok); stroke-width: 2; }
.node.root.bad { stroke: var(--critical); }
.dot { fill: currentColor; }
.center { min-height: 100vh; display: grid; place-items: center; padding: 20px; }
.center main { width: min(100%, 384px); padding: 0; display: grid; gap: 16px; }
.center .panel .body { padding: 18px; }
.center .form button { justify-content: center; }
.provider .button { width: 100%; justify-content: center; }
.provider p { margin: 9px 0 0; }
.provider .or { display: flex; align-items: center; gap: 10px; margin: 14px 0; }
.provider .or::before, .provider .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
@media (max-width: 760px) {
  .compare { grid-template-columns: minmax(0, 1fr); }
  .mesh-wide { min-width: 620px; }
  .filters .field { flex: 1 1 8.5rem; }
  dl.pairs { grid-template-columns: minmax(0, 6.4rem) minmax(0, 1fr); gap: 5px 12px; }
  button, .button, input:not([type="checkbox"]), select { min-height: 38px; }
}
`;
