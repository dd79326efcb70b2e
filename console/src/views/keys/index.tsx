import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Keys() {
  return (
    <Page title="Keys">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
