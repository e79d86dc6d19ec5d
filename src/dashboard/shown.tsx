/** The view that the address asks for. Views with charts are fetched when they are first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading } from './parts/notes.tsx';
import { route } from './route.ts';
import { StateView } from './state/state-view.tsx';
import { ConfigurationView } from './views/configuration.tsx';
import { JournalView } from './views/journal.tsx';
import { PeopleView } from './views/people.tsx';
import { SourcesView } from './views/sources.tsx';
import { WindowsView } from './views/windows.tsx';

/** The view. */
export function Shown() {
  switch (route.value.view) {
    case 'state':
      return <StateView />;
    case 'windows':
      return <WindowsView />;
    case 'timeline':
      return <Fetched name="the timeline" load={timeline} />;
    case 'proof':
      return <Fetched name="the proofs" load={proof} />;
    case 'sources':
      return <SourcesView />;
    case 'journal':
      return <JournalView />;
    case 'configuration':
      return <ConfigurationView />;
    case 'people':
      return <PeopleView />;
  }
}

const timeline = (): Promise<ComponentType> =>
  import('./views/timeline.tsx').then((file) => file.TimelineView);
const proof = (): Promise<ComponentType> => import('./views/proof.tsx').then((file) => file.ProofView);

interface Props {
  readonly name: string;
  readonly load: () => Promise<ComponentType>;
}

function Fetched({ name, load }: Props) {
  const [View, setView] = useState<ComponentType | 'failed' | null>(null);
  useEffect(() => {
    let wanted = true;
    setView(null);
    load().then(
      (found) => wanted && setView(() => found),
      () => wanted && setView('failed'), // the box is being restarted with another build, or is gone
    );
    return () => {
      wanted = false;
    };
  }, [load]);
  if (View === null) return <Loading what={name} />;
  if (View === 'failed')
    return (
      <div class="panel note wrong" role="alert">
        This part of the page could not be fetched; the box may have been updated.{' '}
        <button type="button" onClick={() => location.reload()}>
          Load the page again
        </button>
      </div>
    );
  return <View />;
}
