/** Starts the page. */
import { render } from 'preact';
import { account, askWho, watchAccount } from './account.ts';
import { announce } from './announcer.ts';
import { watchNews } from './box.ts';
import { Door } from './door.tsx';
import { listenForKeys } from './keys.ts';
import { followAddress } from './route.ts';
import { applySettings } from './settings.ts';
import { Shell } from './shell.tsx';
import { watchStream } from './stream.ts';

function Page() {
  return account.value.kind === 'somebody' ? <Shell /> : <Door />;
}

const place = document.querySelector('#page');
if (place !== null) {
  applySettings();
  followAddress();
  watchNews();
  watchStream();
  watchAccount();
  listenForKeys();
  place.replaceChildren();
  render(<Page />, place);
  announce();
  void askWho();
}
