// The report's looks: one accent colour, which marks what needs attention, and greys.
#pragma once

#include <string_view>

namespace runclad::ctl {

inline constexpr std::string_view kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f8; --ink: #16191d; --soft: #545b64; --line: #dde1e5;
  --strong: #8b929a; --faint: #c9ced4; --accent: #b42318; --accent-soft: #dc8a82; --on-accent: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121417; --panel: #1a1d21; --ink: #e8eaed; --soft: #a4abb3; --line: #2c3137;
    --strong: #7d858e; --faint: #3b424a; --accent: #ff8a7d; --accent-soft: #9c4a42; --on-accent: #121417;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 74rem; padding: 2.5rem 2rem 5rem; background: var(--paper); color: var(--ink);
  font: 400 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
h1, h2, h3, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 1.6rem; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1.15rem; font-weight: 650; }
a, .mono { overflow-wrap: anywhere; }
a { color: inherit; text-decoration-color: var(--strong); text-underline-offset: 0.2em; }
a:hover { text-decoration-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
code, .mono { font: 0.9em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.soft, .eyebrow { color: var(--soft); }
.eyebrow { font-size: 0.8rem; letter-spacing: 0.04em; text-transform: uppercase; }
.accent { color: var(--accent); font-weight: 600; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; display: inline-block; margin-bottom: 1rem; }
header { margin-bottom: 1.75rem; }
header .soft { margin-top: 0.25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; list-style: none; margin-top: 0.9rem; font-size: 0.9rem; }
nav a { display: inline-block; padding: 0.15rem 0; }
.notice { border-left: 4px solid var(--accent); padding: 0.5rem 1rem; background: var(--panel); margin-bottom: 1.5rem; }

.worst { display: grid; grid-template-columns: auto 1fr; gap: 0 2rem; padding: 1.75rem 2rem; background: var(--panel);
  border-top: 4px solid var(--accent); }
.figure { font-size: 4.6rem; line-height: 1; font-weight: 650; letter-spacing: -0.03em; color: var(--accent); }
.worst .level { display: block; margin-top: 0.6rem; text-align: center; }
.worst h2 { font-size: 1.55rem; line-height: 1.25; letter-spacing: -0.01em; margin: 0.1rem 0; }
.why { list-style: none; margin-top: 1.1rem; display: grid; gap: 0.85rem; }
.why li { display: grid; grid-template-columns: 2.9rem 1fr; }
.why b { color: var(--accent); font-weight: 650; }
.why p { color: var(--soft); font-size: 0.92rem; }
.level { display: inline-block; padding: 0.1rem 0.5rem; font-size: 0.74rem; font-weight: 650; letter-spacing: 0.05em;
  border: 1px solid var(--faint); border-radius: 3px; white-space: nowrap; }
.level.unsafe { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.level.exposed { border-color: var(--accent); color: var(--accent); }
.level.ok { color: var(--soft); }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.25rem 1.5rem;
  margin: 1.75rem 0 0; padding: 0 0.1rem; }
.facts div { border-top: 1px solid var(--line); padding-top: 0.6rem; }
.facts dt { color: var(--soft); font-size: 0.85rem; line-height: 1.35; }
.facts dd { font-size: 1.7rem; font-weight: 600; line-height: 1.2; letter-spacing: -0.01em; }
.facts dd.accent { font-weight: 650; }

section.part { margin-top: 3.25rem; }
section.part > .soft { max-width: 46rem; margin-top: 0.2rem; }
.table { overflow-x: auto; margin-top: 0.9rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 0.84rem; border-bottom-color: var(--strong); white-space: nowrap; }
tbody th { font-weight: 550; min-width: 6.5rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.nowrap { white-space: nowrap; }
.exposure { display: grid; grid-template-columns: 2.2rem 6.5rem auto; gap: 0.6rem; align-items: center; white-space: nowrap; }
.exposure .level { justify-self: start; }
.exposure b { font-weight: 650; text-align: right; }
svg { display: block; }
.bar { width: 100%; height: 0.55rem; }
.bar .ground { fill: var(--line); }
.bar .unsafe, .spread .unsafe, .days .refused { fill: var(--accent); }
.bar .exposed, .spread .exposed, .days .would { fill: var(--accent-soft); }
.bar .medium, .spread .medium { fill: var(--strong); }
.bar .ok, .spread .ok { fill: var(--faint); }
.spread { width: 100%; height: 0.9rem; margin-top: 1.1rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; list-style: none; margin-top: 0.55rem; font-size: 0.88rem; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 0.45rem; }
.legend .spread { width: 0.75rem; height: 0.75rem; margin: 0; flex: none; }
.days { width: 100%; height: 7rem; margin-top: 1rem; border-bottom: 1px solid var(--strong); }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: 0.85rem; margin-top: 0.3rem; }
.matrix { width: auto; font-size: 0.86rem; }
.matrix th, .matrix td { padding: 0.3rem 0.2rem; }
.matrix tbody th { padding-right: 1.2rem; min-width: 11rem; max-width: 22rem; }
.matrix thead th { vertical-align: bottom; padding-bottom: 0.5rem; }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); line-height: 1.2; }
.matrix td { text-align: center; min-width: 1.35rem; color: var(--soft); }
.matrix .danger { color: var(--accent); font-weight: 650; }
.names { color: var(--soft); }
details { margin-top: 0.4rem; border-bottom: 1px solid var(--line); padding-bottom: 0.4rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
summary .level { margin-left: 0.5rem; }
details.more { border-bottom: 0; margin-top: 0.75rem; }
.container { content-visibility: auto; contain-intrinsic-size: auto 2.6rem; }
.container p { margin: 0.3rem 0 0.5rem; }
.terms { margin-top: 0.9rem; display: grid; gap: 1rem; }
.terms dt { font-weight: 600; }
.terms dd { color: var(--soft); max-width: 52rem; }
footer { margin-top: 4rem; color: var(--soft); font-size: 0.88rem; border-top: 1px solid var(--line); padding-top: 1rem; }

@media (max-width: 45rem) {
  body { padding: 1.25rem 1rem 3rem; font-size: 14.5px; }
  .worst { display: block; padding: 1.1rem 1.1rem 1.3rem; }
  .worst .score { display: flex; align-items: center; gap: 0.9rem; margin-bottom: 0.8rem; }
  .worst .level { margin-top: 0; }
  .figure { font-size: 3.4rem; }
  .worst h2 { font-size: 1.3rem; }
  .wide { display: none; }
  .facts { grid-template-columns: 1fr 1fr; }
  .exposure { grid-template-columns: 2rem 3.2rem; }
  .exposure .level { grid-column: 1 / -1; justify-self: start; }
  th, td { padding-right: 0.7rem; }
  thead th { white-space: normal; }
  section.part { margin-top: 2.5rem; }
}
@media print {
  :root { --paper: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc; --strong: #777777;
    --faint: #bbbbbb; --accent: #a11a10; --accent-soft: #dc8a82; --on-accent: #ffffff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .container { content-visibility: visible; }
  .worst { border: 1px solid var(--line); border-top: 4px solid var(--accent); }
  .table { overflow: visible; }
  tr, .worst, .why li { break-inside: avoid; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
  .level, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace runclad::ctl
