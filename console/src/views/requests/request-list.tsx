import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';
import type { ViewProps } from '../../routing/view-props.ts';

export function RequestList(_props: Pick<ViewProps, 'query'>) {
  return (
    <Page title="Requests">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
