import { Copy } from './copy.tsx';
import { printable } from './printable.ts';

export interface PatchProps {
  /** A unified diff. */
  readonly patch: string;
  /** What it is saved as: `pause-refund-request.patch`. */
  readonly fileName: string;
}

/** A patch to commit: git stays the control plane. */
export function Patch({ patch, fileName }: PatchProps) {
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([patch], { type: 'text/x-diff' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = fileName;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <div class="text">
      <pre class="patch" tabIndex={0} role="region" aria-label="Patch">
        {patch.split('\n').map((line, index) => (
          <span key={index} class={lineClass(line)}>
            {printable(line)}
            {'\n'}
          </span>
        ))}
      </pre>
      <div class="text-foot">
        <span class="muted">
          Apply it with <code>git apply {fileName}</code>, and open a pull request.
        </span>
        <button type="button" onClick={save}>
          Download
        </button>
        <Copy text={patch} what="the patch" />
      </div>
    </div>
  );
}

function lineClass(line: string): string | undefined {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return undefined;
}
