// The look of the page: no fonts, images or scripts from anywhere; light and dark; good on paper.

export const style = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b2230; --soft: #5a6577; --line: #dfe3ea; --code: #f1f3f7;
  --ok: #157347; --ok-bg: #e5f5ec; --warn: #8a5a00; --warn-bg: #fff4d9; --bad: #b3261e; --bad-bg: #fde9e7; --info: #2457a6; --info-bg: #e8f0fd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151c; --card: #191f29; --ink: #e6e9ef; --soft: #9aa6b8; --line: #2c3543; --code: #222a36;
    --ok: #6fd49b; --ok-bg: #15301f; --warn: #f2c464; --warn-bg: #35290f; --bad: #ff9a90; --bad-bg: #3a1a18; --info: #94bcff; --info-bg: #182840;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--soft); }
h2 { font-size: 1.55rem; overflow-wrap: anywhere; }
.subject { display: block; }
h3 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h4 { font-size: .95rem; margin: 1.4rem 0 .5rem; }
p { margin: .4rem 0; max-width: 75ch; }
a { color: var(--info); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--info); outline-offset: 2px; border-radius: 3px; }
code, pre, kbd { font: .87em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--code); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 8px; padding: .8rem 1rem; margin: .5rem 0; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { background: none; padding: 0; }
small, .soft { color: var(--soft); font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; }
.top { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; justify-content: space-between; margin-bottom: 1rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.75rem; margin-bottom: 1.75rem; box-shadow: 0 1px 2px rgb(0 0 0 / .05); }
.verdict { display: grid; grid-template-columns: auto 1fr; gap: 0 1.1rem; align-items: start; margin: -1.75rem -1.75rem 1.25rem; padding: 1.5rem 1.75rem; border-radius: 14px 14px 0 0; }
.sign { display: grid; place-items: center; width: 3rem; height: 3rem; border-radius: 50%; font-size: 1.5rem; font-weight: 700; background: var(--card); }
.verdict .word { font-weight: 700; letter-spacing: .01em; }
.verdict p { color: var(--ink); margin: .25rem 0 0; font-size: 1.05rem; }
.ok { background: var(--ok-bg); } .ok .sign, .ok .word, .is-ok { color: var(--ok); }
.warning { background: var(--warn-bg); } .warning .sign, .warning .word, .is-warning { color: var(--warn); }
.breaking { background: var(--bad-bg); } .breaking .sign, .breaking .word, .is-breaking { color: var(--bad); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .6rem 1.5rem; margin: 0; }
dl.facts div { min-width: 0; }
dt { color: var(--soft); font-size: .82rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.levels { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: .5rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.levels li { border: 1px solid var(--line); border-radius: 9px; padding: .5rem .65rem; font-size: .8rem; }
.levels b { display: block; overflow-wrap: anywhere; font-size: .74rem; letter-spacing: .02em; min-height: 2.3em; }
.levels .asked { border: 2px solid currentColor; padding: calc(.5rem - 1px) calc(.65rem - 1px); }
.levels small { display: block; color: inherit; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .5rem .7rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; font-size: .82rem; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
.mark { display: inline-grid; place-items: center; width: 1.55rem; height: 1.55rem; border-radius: 6px; font-weight: 700; font-family: ui-monospace, monospace; }
.new { color: var(--ok); background: var(--ok-bg); } .gone { color: var(--bad); background: var(--bad-bg); } .edit { color: var(--warn); background: var(--warn-bg); } .move { color: var(--info); background: var(--info-bg); }
.changes td:first-child { width: 2.4rem; } .changes td:nth-child(2) { width: 30%; }
.change { margin: 0 0 .35rem; } .change:last-child { margin: 0; }
del, ins { text-decoration: none; } del code { background: var(--bad-bg); color: var(--bad); } ins code { background: var(--ok-bg); color: var(--ok); }
.card { border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 9px; padding: .8rem 1rem; margin: .7rem 0; break-inside: avoid; }
.card.error { border-left-color: var(--bad); } .card.warning { border-left-color: var(--warn); background: none; } .card.waived { border-style: dashed; }
.card h4 { margin: 0 0 .25rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; }
.tag { font-size: .74rem; font-weight: 600; border-radius: 99px; padding: .1rem .55rem; background: var(--code); color: var(--soft); white-space: nowrap; }
.tag.error { background: var(--bad-bg); color: var(--bad); } .tag.warning { background: var(--warn-bg); color: var(--warn); } .tag.good { background: var(--ok-bg); color: var(--ok); }
.fix { margin-top: .6rem; padding-top: .6rem; border-top: 1px dashed var(--line); }
.patch .add { color: var(--ok); } .patch .cut { color: var(--bad); }
.order { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0 .9rem; font-weight: 600; }
.order span { border: 1px solid var(--line); border-radius: 9px; padding: .35rem .8rem; background: var(--code); }
ol { margin: .4rem 0; padding-left: 1.4rem; } ol li { margin: .2rem 0; }
ul.plain { list-style: none; padding: 0; margin: .4rem 0; } ul.plain li { margin: .2rem 0; }
tr.defaulted td:last-child, tr.changed td:last-child, tr.lost td:nth-child(3) { font-weight: 600; }
tr.same { color: var(--soft); }
summary { cursor: pointer; font-weight: 600; } details { margin-top: 1rem; }
nav table { background: var(--card); border: 1px solid var(--line); border-radius: 14px; border-collapse: separate; border-spacing: 0; margin-bottom: 1.75rem; }
nav th, nav td { padding-left: 1rem; }
@media (max-width: 40rem) { main { padding: 1rem .6rem 3rem; } article { padding: 1.1rem; } .verdict { margin: -1.1rem -1.1rem 1rem; padding: 1.1rem; } .changes td { display: block; width: auto; border: 0; padding-bottom: .15rem; } .changes td:first-child { float: left; } .changes td:nth-child(2) { width: auto; padding-top: .6rem; } .changes td:last-child { clear: left; border-bottom: 1px solid var(--line); padding-bottom: .6rem; } .changes thead { display: none; } }
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f2f2f2; --ok: #0b5d33; --ok-bg: #fff; --warn: #6b4500; --warn-bg: #fff; --bad: #8f1a13; --bad-bg: #fff; --info: #163f7d; --info-bg: #fff; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } article { border: 0; box-shadow: none; padding: 0; break-after: page; } article:last-of-type { break-after: auto; }
  .verdict { margin: 0 0 1rem; padding: .6rem 0; border-bottom: 2px solid; border-radius: 0; } .skip { display: none; } h3, h4 { break-after: avoid; } tr { break-inside: avoid; } details::details-content { content-visibility: visible; }
}
`
