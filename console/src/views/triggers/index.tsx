import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Triggers() {
  return (
    <Page title="Triggers">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
