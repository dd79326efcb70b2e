import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Limits() {
  return (
    <Page title="Limits">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
