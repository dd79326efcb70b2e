import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Filters() {
  return (
    <Page title="Filters">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
