import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Changes() {
  return (
    <Page title="Changes">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
