import { Empty } from '../../components/feedback.tsx';
import { Page } from '../../components/page.tsx';

export default function Runs() {
  return (
    <Page title="Runs">
      <Empty title="Nothing here yet" />
    </Page>
  );
}
