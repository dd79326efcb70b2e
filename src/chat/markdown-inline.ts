/**
 * Code, links, bare URLs, and emphasis. Each part is bounded, so that a hostile text costs time in proportion to its length.
 * An image becomes a link: a page must not request what an agent names.
 */
const inline =
  /(`{1,3})([^`\n]{1,500})\1(?!`)|!?\[([^[\]\n]{0,300})\]\(([^\s()<>]{1,2000})(?: +"[^"\n]{0,300}")?\)|(https?:\/\/[^\s<>()[\]"'`*]{1,2000})|\*\*(?=\S)([^\n]{1,500}?\S|\S)\*\*|(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*\n]{1,500})\*(?!\*)|(?<![\p{L}\p{N}_])_(?=\S)([^_\n]{1,500})_(?![\p{L}\p{N}])|\\([!-/:-@[-`{-~])/u;

const deepest = 4;

/** Appends a text to an element. Only text nodes and elements are made: markup in the text stays text. */
export function appendInline(parent: Node, text: string, depth = 0): void {
  let rest = text;
  while (rest !== '') {
    const found = depth > deepest ? null : inline.exec(rest);
    appendText(parent, found === null ? rest : rest.slice(0, found.index));
    if (found === null) return;
    const [whole, , code, label, target, url, strong, star, underscore, escaped] = found;
    const emphasized = star ?? underscore;
    if (code !== undefined) element(parent, 'code').append(code);
    else if (target !== undefined) appendLink(parent, label ?? '', target, whole);
    else if (url !== undefined) {
      // The end of a sentence is not part of the address.
      const address = url.replace(/[.,;:!?]{1,8}$/, '');
      appendLink(parent, address, address, address);
      appendText(parent, url.slice(address.length));
    } else if (strong !== undefined) appendInline(element(parent, 'strong'), strong, depth + 1);
    else if (emphasized !== undefined) appendInline(element(parent, 'em'), emphasized, depth + 1);
    else appendText(parent, escaped ?? whole);
    rest = rest.slice(found.index + whole.length);
  }
}

function appendLink(parent: Node, label: string, target: string, whole: string): void {
  const href = safeUrl(target);
  if (href === undefined) {
    appendText(parent, whole);
    return;
  }
  const link = element(parent, 'a');
  link.href = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  link.append(label.replace(/\*\*|`/g, '') || target);
}

/** Other schemes may run code, and a relative address would be one of the page. */
function safeUrl(target: string): string | undefined {
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return undefined;
  try {
    const { protocol, href } = new URL(target);
    return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : undefined;
  } catch {
    return undefined;
  }
}

/** In a chat a new line is meant as one. */
function appendText(parent: Node, text: string): void {
  text.split('\n').forEach((line, index) => {
    if (index > 0) element(parent, 'br');
    if (line !== '') parent.appendChild(document.createTextNode(line));
  });
}

function element<Name extends keyof HTMLElementTagNameMap>(parent: Node, name: Name): HTMLElementTagNameMap[Name] {
  return parent.appendChild(document.createElement(name));
}
