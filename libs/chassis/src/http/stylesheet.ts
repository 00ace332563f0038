/** Of every page; constant, so that it can be allowed by its hash. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f6; --sheet: #fff; --ink: #16181d; --quiet: #555c68; --line: #8a919e; --rule: #dfe2e7;
  --accent: #1d4ed8; --on-accent: #fff; --bad: #b42318; --bad-ground: #fef3f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1115; --sheet: #191c22; --ink: #eceef2; --quiet: #a5adba; --line: #69717f; --rule: #2c313a;
    --accent: #8fb1ff; --on-accent: #0b1530; --bad: #ff9c92; --bad-ground: #331613;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; align-items: start; justify-items: center;
  padding: clamp(0rem, 8vh, 6rem) 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
main {
  width: 100%; max-width: 27rem; padding: 2rem; background: var(--sheet);
  border: 1px solid var(--rule); border-radius: .75rem;
}
@media (max-width: 28rem) {
  body { padding: 0; background: var(--sheet); }
  main { padding: 1.5rem 1.25rem; border: 0; border-radius: 0; }
}
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
p { margin: 0 0 1rem; }
form { margin: 1.25rem 0 0; }
form + form { margin-top: .75rem; }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
input:not([type=checkbox]) {
  width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .5rem;
}
input[type=checkbox] { width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; flex: none; accent-color: var(--accent); }
.code { font: 600 1.6rem/1.3 ui-monospace, monospace; letter-spacing: .12em; }
input.code:not([type=checkbox]) {
  text-transform: uppercase; text-align: center; font: 600 1.4rem/1.3 ui-monospace, monospace;
}
fieldset { margin: 1rem 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
ul { list-style: none; margin: .5rem 0 0; padding: 0; }
li { padding: .6rem 0; border-top: 1px solid var(--rule); }
li:first-child { border-top: 0; }
li label { display: flex; gap: .75rem; margin: 0; font-weight: 400; }
.hint { margin: .3rem 0 0; font-size: .9rem; color: var(--quiet); }
.bad, p[role=alert] { color: var(--bad); }
.bad { padding: .65rem .75rem; background: var(--bad-ground); border-radius: .5rem; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button {
  flex: 1; min-width: 8rem; padding: .7rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem;
}
button.second { color: inherit; background: transparent; border-color: var(--line); }
form > button { width: 100%; margin-top: 1.5rem; }
form + form > button { margin-top: 0; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (forced-colors: active) { button { border: 1px solid ButtonText; } }
`
