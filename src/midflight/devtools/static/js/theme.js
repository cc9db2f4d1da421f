// The colours, in light and dark, for the page and for what stands in pages of others.

export const THEME = `
  :host, :root {
    color-scheme: light dark;
    --page: #f5f6f8; --code: #fbfcfd; --card: #ffffff; --sunk: #eef0f4; --ink: #171b24; --soft: #596273; --faint: #6f7889;
    --line: #e1e5eb; --strong-line: #c9d0da; --act: #3b5bdb; --act-ink: #ffffff; --act-soft: #e8edff;
    --good: #18794e; --good-soft: #e3f5eb; --warn: #9a5a00; --warn-soft: #fdf1dc; --bad: #c42b36; --bad-soft: #fdeaeb;
    --calm: #657084; --calm-soft: #eceff3; --info: #0b7285; --info-soft: #e0f4f7;
    --added: #e2f6e9; --added-mark: #aee5c3; --removed: #fdebec; --removed-mark: #f8c3c7;
    --py-word: #8a1f8f; --py-string: #176b43; --py-number: #a34700; --py-comment: #6c7686; --py-decorator: #0b5c9e;
    --shadow: 0 1px 2px rgb(16 24 40 / .06), 0 8px 24px rgb(16 24 40 / .10);
    --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif;
    --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    --stage-watch: #868e9b; --stage-preflight: #4c6ef5; --stage-apply: #12a594; --stage-validate: #e5a000;
    --stage-commit: #8e4ec6; --stage-undo: #e5484d;
  }
  @media (prefers-color-scheme: dark) {
    :host, :root {
      --page: #0f1217; --code: #12161c; --card: #171b22; --sunk: #11151b; --ink: #e7eaf0; --soft: #a3adbd; --faint: #8791a3;
      --line: #262c36; --strong-line: #3a4250; --act: #8ea6ff; --act-ink: #0f1217; --act-soft: #202a4a;
      --good: #5fd39a; --good-soft: #14301f; --warn: #f3b34c; --warn-soft: #35270f; --bad: #ff8b90; --bad-soft: #3a1a1e;
      --calm: #9aa5b6; --calm-soft: #222833; --info: #63cfe0; --info-soft: #10303a;
      --added: #11291d; --added-mark: #1f5a3c; --removed: #321a1e; --removed-mark: #6b2a31;
      --py-word: #dba0f0; --py-string: #8fd6ae; --py-number: #f0b27a; --py-comment: #8290a3; --py-decorator: #86bff5;
      --shadow: 0 1px 2px rgb(0 0 0 / .4), 0 12px 32px rgb(0 0 0 / .5);
      --stage-preflight: #7c95ff; --stage-apply: #2fc7b5; --stage-validate: #f0b83a; --stage-commit: #b584e8;
    }
  }
  *, *::before, *::after { box-sizing: border-box; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  :focus-visible { outline: 2px solid var(--act); outline-offset: 2px; }
  button { font: inherit; color: inherit; cursor: pointer; }
  button:disabled { cursor: default; opacity: .55; }
  .button { display: inline-flex; align-items: center; justify-content: center; gap: .4em; padding: .4em .75em; border-radius: 7px;
    border: 1px solid var(--strong-line); background: var(--card); color: var(--ink); text-decoration: none; font-weight: 550; white-space: nowrap; }
  .button:hover:not(:disabled) { background: var(--sunk); }
  .button.main { background: var(--act); border-color: var(--act); color: var(--act-ink); }
  .button.main:hover:not(:disabled) { filter: brightness(1.07); }
  .button.bare { border-color: transparent; background: transparent; padding: .4em; color: var(--soft); }
  .button.bare:hover { background: var(--sunk); color: var(--ink); }
  .badge { display: inline-grid; place-items: center; width: 1.5em; height: 1.5em; border-radius: 50%; flex: none;
    background: var(--tone-soft); color: var(--tone); }
  .tone-good { --tone: var(--good); --tone-soft: var(--good-soft); }
  .tone-warn { --tone: var(--warn); --tone-soft: var(--warn-soft); }
  .tone-bad { --tone: var(--bad); --tone-soft: var(--bad-soft); }
  .tone-calm { --tone: var(--calm); --tone-soft: var(--calm-soft); }
  .tone-info { --tone: var(--info); --tone-soft: var(--info-soft); }
  .code { overflow-x: auto; background: var(--code); border: 1px solid var(--line); border-radius: 8px; font: 12.5px/1.6 var(--mono); }
  .code table { border-collapse: collapse; min-width: 100%; }
  .code td { padding: 0; vertical-align: top; }
  .code .number { width: 1%; min-width: 3.2em; padding: 0 .7em; text-align: right; color: var(--faint); user-select: none; }
  .code .number::before { content: attr(data-line); }
  .code .sign { width: 1.4em; text-align: center; color: var(--faint); user-select: none; position: relative; }
  .code .sign::before { content: attr(data-sign); }
  .code .text { white-space: pre; padding-right: 1em; tab-size: 4; }
  .code mark { background: none; color: inherit; border-radius: 3px; }
  .row-added { background: var(--added); } .row-added mark { background: var(--added-mark); } .row-added .sign { color: var(--good); }
  .row-removed { background: var(--removed); } .row-removed mark { background: var(--removed-mark); } .row-removed .sign { color: var(--bad); }
  .row-skipped { color: var(--faint); background: var(--sunk); } .row-skipped .number::before { content: ""; }
  .row-here { background: var(--bad-soft); } .row-here .number, .row-here .sign { color: var(--bad); font-weight: 700; }
  .py-word { color: var(--py-word); } .py-string { color: var(--py-string); } .py-number { color: var(--py-number); }
  .py-comment { color: var(--py-comment); font-style: italic; } .py-decorator { color: var(--py-decorator); }
  @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
`;

export const TONES = { committed: "good", unchanged: "calm", refused: "warn", "rolled back": "bad" };

export function sheet(...texts) {
  const made = new CSSStyleSheet();
  made.replaceSync(texts.join("\n"));
  return made;
}
