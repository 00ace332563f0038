/** Of every page, but for the accents, which are a theme's. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f6; --sheet: #fff; --ink: #16181d; --quiet: #555c68; --line: #858d9b; --rule: #e1e4e9;
  --soft: #f3f4f6; --bad: #b42318; --bad-ground: #fef3f2; --good: #15663a; --good-ground: #edf8f1;
  --shadow: 0 1px 2px rgb(16 24 40 / 5%), 0 12px 32px -12px rgb(16 24 40 / 14%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1115; --sheet: #1b1f26; --ink: #eceef2; --quiet: #a8b0bd; --line: #727b8b; --rule: #2f3540;
    --soft: #242932; --bad: #ffa399; --bad-ground: #3a1a17; --good: #8fd9ad; --good-ground: #15301f; --shadow: none;
  }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  --measure: 27rem;
  margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; align-items: center;
  padding: clamp(1.5rem, 9vh, 6rem) 1rem 2rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
body > * { width: 100%; max-width: var(--measure); }
.brand {
  display: flex; align-items: center; justify-content: center; gap: .65rem; margin: 0 0 1.25rem;
  font-weight: 600; font-size: 1.05rem;
}
.brand img { display: block; width: auto; height: auto; max-width: 9rem; max-height: 2.25rem; }
main {
  padding: 2rem; background: var(--sheet); border: 1px solid var(--rule); border-radius: 1rem; box-shadow: var(--shadow);
}
main > :last-child, section > :last-child { margin-bottom: 0; }
.foot { margin: 1.25rem 0 0; text-align: center; font-size: .9rem; color: var(--quiet); }
@media (max-width: 30rem) {
  body { padding: 0; background: var(--sheet); }
  .brand { margin: 0; padding: 1.25rem 1.25rem 0; justify-content: flex-start; }
  main { padding: 1.5rem 1.25rem; border: 0; border-radius: 0; box-shadow: none; }
  .foot { margin: 0; padding: 0 1.25rem 1.5rem; text-align: left; }
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 0 0 .5rem; font-size: 1.125rem; line-height: 1.3; font-weight: 650; }
p { margin: 0 0 1rem; }
.lead { color: var(--quiet); }
.lead bdi, .lead strong { color: var(--ink); font-weight: 600; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
form { margin: 1.25rem 0 0; }
form + form { margin-top: .75rem; }
label { display: block; margin: 1rem 0 .35rem; font-weight: 600; }
form > label:first-of-type { margin-top: 0; }
input:not([type=checkbox], [type=radio]), select {
  display: block; width: 100%; min-height: 2.9rem; padding: .6rem .8rem; font: inherit; color: inherit;
  background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem;
}
input[readonly]:not([type=checkbox]) { background: var(--soft); border-color: var(--rule); }
input[aria-invalid=true]:not([type=checkbox]) { border-color: var(--bad); box-shadow: inset 0 0 0 1px var(--bad); }
input:focus-visible { outline-offset: 0; }
input[type=checkbox], input[type=radio] {
  width: 1.2rem; height: 1.2rem; margin: .15rem 0 0; flex: none; accent-color: var(--link);
}
input.code:not([type=checkbox]) {
  text-align: center; font: 600 1.4rem/1.3 ui-monospace, "DejaVu Sans Mono", monospace; letter-spacing: .12em;
}
input.code.letters { text-transform: uppercase; }
input.code::placeholder { color: var(--quiet); opacity: .6; }
p.code {
  padding: .6rem; text-align: center; font: 600 1.6rem/1.3 ui-monospace, "DejaVu Sans Mono", monospace;
  letter-spacing: .12em; background: var(--soft); border-radius: .6rem;
}
fieldset { min-width: 0; margin: 1rem 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
.ticks { list-style: none; margin: .35rem 0 0; padding: 0; }
.ticks > li { display: flex; gap: .75rem; padding: .65rem 0; border-top: 1px solid var(--rule); }
.ticks > li:first-child { border-top: 0; }
.ticks label { display: flex; gap: .75rem; margin: 0; flex: 1; font-weight: 400; }
.ticks .given::before {
  content: ""; flex: none; width: .45rem; height: .8rem; margin: .15rem .35rem 0 .4rem;
  border: solid var(--link); border-width: 0 .16rem .16rem 0; transform: rotate(45deg);
}
.hint, .mistake { margin: .35rem 0 0; font-size: .9rem; color: var(--quiet); }
.mistake { color: var(--bad); font-weight: 500; }
.mistake:empty { margin: 0; }
.bad, .good { margin: 1rem 0; padding: .7rem .85rem; border: 1px solid; border-radius: .6rem; }
.bad { color: var(--bad); background: var(--bad-ground); border-color: color-mix(in srgb, var(--bad) 35%, transparent); }
.good { color: var(--good); background: var(--good-ground); border-color: color-mix(in srgb, var(--good) 35%, transparent); }
.aside { margin: 1.1rem 0 0; font-size: .95rem; }
form .aside { margin-top: .5rem; }
button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: .6rem; min-height: 2.9rem;
  min-width: 8rem; padding: .6rem 1rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  cursor: pointer; color: var(--on-accent); background: var(--accent); border: 1px solid var(--link); border-radius: .6rem;
}
button:hover, .button:hover { background: var(--accent-pressed); }
.second { color: var(--ink); background: transparent; border-color: var(--line); }
.second:hover { background: var(--soft); }
.danger { color: var(--bad); background: transparent; border-color: var(--bad); }
.danger:hover { background: var(--bad-ground); }
.small { min-height: 2.25rem; min-width: 0; padding: .3rem .75rem; font-size: .95rem; }
form > button, .button.whole { width: 100%; margin-top: 1.5rem; }
form + form > button, form > button:first-of-type:nth-child(-n + 3) { margin-top: 0; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.actions > * { flex: 1; }
.choices { display: grid; gap: .6rem; }
.choices > button { width: 100%; margin: 0; }
.initial {
  display: inline-grid; place-items: center; flex: none; width: 1.5rem; height: 1.5rem; border-radius: 50%;
  font-size: .8rem; line-height: 1; color: var(--ink); background: var(--rule);
}
.or { display: flex; align-items: center; gap: .75rem; margin: 1.25rem 0 0; color: var(--quiet); font-size: .9rem; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--rule); }
details { margin: 1.25rem 0 0; padding: 1rem 0 0; border-top: 1px solid var(--rule); }
summary { width: fit-content; cursor: pointer; color: var(--link); border-radius: .25rem; }
details form { margin-top: .75rem; }
.wide { --measure: 60rem; padding-top: 1.5rem; }
.wide .brand { justify-content: flex-start; }
.wide .frame { display: grid; gap: 1.25rem; align-items: start; }
.wide main { padding: 0; background: none; border: 0; box-shadow: none; min-width: 0; }
.wide h1 { margin-bottom: 1.25rem; }
.wide section { padding: 1.5rem; background: var(--sheet); border: 1px solid var(--rule); border-radius: 1rem; }
.wide section + section { margin-top: 1.25rem; }
.wide section > form, .wide section .actions { max-width: 24rem; }
.wide section .actions > * { flex: 0 1 auto; }
.wide section > form > button { width: auto; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .5rem .75rem; color: var(--ink); text-decoration: none; border-radius: .6rem; }
nav a:hover { background: var(--rule); }
nav a[aria-current] { font-weight: 600; background: var(--sheet); box-shadow: inset 0 0 0 1px var(--line); }
@media (min-width: 48rem) {
  .wide .frame { grid-template-columns: 13rem minmax(0, 1fr); gap: 2rem; }
  nav ul { flex-direction: column; }
}
@media (max-width: 30rem) {
  .wide { padding: 0; background: var(--ground); }
  .wide .brand { padding-left: 1rem; }
  .wide .frame { padding: 1rem; gap: 1rem; }
  .wide section { padding: 1.15rem 1rem; }
}
.facts { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .5rem 1.25rem; margin: 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; }
.entries { list-style: none; margin: 0; padding: 0; }
.entries > li {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem;
  padding: .9rem 0; border-top: 1px solid var(--rule);
}
.entries > li:first-child { border-top: 0; padding-top: 0; }
.entries > li:last-child { padding-bottom: 0; }
.entries > li > div { flex: 1 1 14rem; min-width: 0; }
.entries p { margin: 0; }
.entries form { margin: 0; }
.entries form > button { margin: 0; width: auto; }
.tag {
  display: inline-block; padding: .05rem .5rem; font-size: .85rem; font-weight: 600; color: var(--ink);
  background: var(--soft); border: 1px solid var(--rule); border-radius: 1rem;
}
@media (max-width: 30rem) { .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin: 0 0 .6rem; } }
@media (prefers-reduced-motion: no-preference) {
  button, .button, nav a, input { transition: background-color .15s, border-color .15s, box-shadow .15s; }
}
@media (forced-colors: active) {
  button, .button { border-color: ButtonText; }
  nav a[aria-current] { outline: 2px solid Highlight; }
  .initial { border: 1px solid; }
}
@media print { body { background: none; padding: 0; } main { border: 0; box-shadow: none; } }
`
