import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Nodes() {
  return (
    <Page title="Nodes">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
