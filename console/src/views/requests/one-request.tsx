import { Page } from '../../components/page.tsx';

/** A recorded request. */
export function OneRequest({ id }: { readonly id: string }) {
  return <Page title={`Request ${id}`}>{null}</Page>;
}
