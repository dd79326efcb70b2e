import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Overview() {
  return (
    <Page title="Overview">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
