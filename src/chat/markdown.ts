import { type Block, blocksOf } from './markdown-blocks.ts';
import { appendInline } from './markdown-inline.ts';

/** Shows a text in Markdown that grows: what has not changed keeps its elements, and with them a visitor's selection. */
export class MarkdownView {
  readonly #parent: HTMLElement;
  #shown: readonly string[] = [];

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  show(text: string): void {
    const blocks = blocksOf(text);
    const wanted = blocks.map((block) => JSON.stringify(block));
    let same = 0;
    while (same < wanted.length && wanted[same] === this.#shown[same]) same += 1;
    while (this.#parent.childNodes.length > same) this.#parent.lastChild?.remove();
    for (const block of blocks.slice(same)) this.#parent.append(elementOf(block));
    this.#shown = wanted;
  }
}

function elementOf(block: Block): HTMLElement {
  switch (block.kind) {
    case 'code': {
      const pre = document.createElement('pre');
      pre.append(document.createElement('code'));
      pre.firstElementChild?.append(block.text);
      return pre;
    }
    case 'list': {
      const list = document.createElement(block.start === undefined ? 'ul' : 'ol');
      if (list instanceof HTMLOListElement) list.start = block.start ?? 1;
      list.append(...block.items.map((blocks) => filled('li', blocks)));
      return list;
    }
    case 'quote':
      return filled('blockquote', block.blocks);
    case 'heading':
    case 'paragraph': {
      const paragraph = document.createElement('p');
      // Headings of the page are the page's own.
      const text = block.kind === 'heading' ? document.createElement('strong') : paragraph;
      appendInline(text, block.text);
      if (text !== paragraph) paragraph.append(text);
      return paragraph;
    }
  }
}

function filled(name: string, blocks: readonly Block[]): HTMLElement {
  const element = document.createElement(name);
  element.append(...blocks.map(elementOf));
  return element;
}
