import { useEffect, useState } from 'preact/hooks';
import { postJson } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Failure, Loading } from '../../components/feedback.tsx';
import { Patch } from '../../components/patch.tsx';
import { printable } from '../../components/printable.ts';

interface MadePatch {
  readonly file: string;
  readonly patch: string;
  readonly concernsOthers: boolean;
}

export interface PatchDialogProps {
  readonly title: string;
  readonly project: string;
  readonly trigger: string;
  readonly change: { readonly status: string } | { readonly filter: string; readonly expression: string };
  readonly close: () => void;
}

/** A change as a patch: the gateway changes no file, a pull request does. */
export function PatchDialog({ title, project, trigger, change, close }: PatchDialogProps) {
  const [made, setMade] = useState<MadePatch>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const path = `/triggers/${encodeURIComponent(project)}/${encodeURIComponent(trigger)}/patch`;
    postJson<MadePatch>(path, change).then(setMade, (error) => setFailure(String(Object(error).message)));
  }, []);
  return (
    <Dialog title={title} close={close}>
      {failure !== undefined && <Failure message={printable(failure)} />}
      {made === undefined && failure === undefined && <Loading what="the patch" />}
      {made !== undefined && made.patch === '' && <p>Nothing would change.</p>}
      {made?.concernsOthers === true && (
        <p class="warn">
          It is declared in <code>{printable(made.file)}</code>, so that other triggers change as well.
        </p>
      )}
      {made !== undefined && made.patch !== '' && <Patch patch={made.patch} fileName={`${project}-${trigger}.patch`} />}
    </Dialog>
  );
}
