import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Requests() {
  return (
    <Page title="Requests">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
