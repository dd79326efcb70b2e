/** Logical properties alone, for both directions of writing; themed by the custom properties. */
export const style = `
:host {
  --accent: var(--pullcord-chat-accent, #1d4ed8);
  --border: var(--pullcord-chat-border, #767676);
  display: block;
  box-sizing: border-box;
  block-size: var(--pullcord-chat-height, 32rem);
  max-inline-size: 100%;
  color: var(--pullcord-chat-color, #1a1a1a);
  background: var(--pullcord-chat-background, #fff);
  border: 1px solid var(--border);
  border-radius: var(--pullcord-chat-radius, .75rem);
  font: var(--pullcord-chat-font, 1rem/1.5 system-ui, sans-serif);
  overflow: hidden;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
section { display: flex; flex-direction: column; block-size: 100%; min-inline-size: 0; }
header, form { display: flex; flex-wrap: wrap; gap: .5rem; padding: .5rem .75rem; align-items: end; }
header { justify-content: space-between; align-items: center; border-block-end: 1px solid var(--border); }
form { border-block-start: 1px solid var(--border); }
.log { flex: 1; min-block-size: 0; overflow-y: auto; padding: .75rem; display: flex; flex-direction: column; gap: .75rem; }
.message { max-inline-size: min(100%, 48rem); min-inline-size: 0; overflow-wrap: anywhere; }
.visitor { align-self: end; padding: .5rem .75rem; border-radius: .75rem; white-space: pre-wrap;
  color: var(--pullcord-chat-visitor-color, #1a1a1a); background: var(--pullcord-chat-visitor-background, #e0e7ff); }
.agent { align-self: start; }
.question { padding-inline-start: .75rem; border-inline-start: 3px solid var(--accent); }
.text > :first-child { margin-block-start: 0; }
.text > :last-child { margin-block-end: 0; }
p, ul, ol, pre, blockquote { margin-block: .5rem; }
ul, ol { padding-inline-start: 1.5rem; }
blockquote { margin-inline: 0; padding-inline-start: .75rem; border-inline-start: 3px solid var(--border); }
pre, code { font-family: ui-monospace, monospace; font-size: .9em; }
pre { white-space: pre-wrap; padding: .5rem; border: 1px solid var(--border); border-radius: .375rem; direction: ltr; text-align: left; }
a { color: var(--accent); }
.error { color: var(--pullcord-chat-error, #b91c1c); }
textarea { flex: 1 1 10rem; min-inline-size: 0; max-block-size: 10rem; field-sizing: content; resize: none; padding: .5rem;
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--border); border-radius: .5rem; }
textarea::placeholder { color: inherit; opacity: .75; }
button { font: inherit; padding: .5rem .75rem; border: 1px solid var(--border); border-radius: .5rem; cursor: pointer;
  color: inherit; background: transparent; }
.send { color: var(--pullcord-chat-accent-color, #fff); background: var(--accent); border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.send:focus-visible { outline-offset: 2px; }
.spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.dots { display: inline-flex; gap: .25rem; padding-block: .5rem; }
.dots i { inline-size: .375rem; block-size: .375rem; border-radius: 50%; background: currentColor; animation: blink 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .2s; }
.dots i:nth-child(3) { animation-delay: .4s; }
@keyframes blink { 50% { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .dots i { animation: none; } }
`;
