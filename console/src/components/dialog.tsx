import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={close}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  readonly title: string;
  /** What exactly will happen. */
  readonly children: ComponentChildren;
  /** What the button does, as a verb: `Cancel 3 runs`. */
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly perform: () => Promise<void> | void;
  readonly close: () => void;
}

/** Asks before something is changed. It stays open while that is done, and shows why it failed. */
export function Confirm({ title, children, action, isDangerous = false, perform, close }: ConfirmProps) {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await perform();
      close();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <Dialog title={title} close={close}>
      {children}
      {failure !== undefined && (
        <p role="alert" class="bad">
          {failure}
        </p>
      )}
      <footer>
        <button type="button" onClick={close}>
          Back
        </button>
        <button type="button" class={isDangerous ? 'danger' : 'primary'} disabled={isBusy} onClick={confirm}>
          {isBusy ? 'Working …' : action}
        </button>
      </footer>
    </Dialog>
  );
}
