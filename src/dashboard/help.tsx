/** What the keys do, and the way to make them do nothing. */
import { Dialog } from './parts/dialog.tsx';
import { VIEWS } from './route.ts';
import { keysAct } from './settings.ts';

/** The dialog. */
export function Help({ onLeave }: { readonly onLeave: () => void }) {
  return (
    <Dialog title="Help" onLeave={onLeave}>
      <table class="keys">
        <caption>Keys, outside text fields</caption>
        <tbody>
          <tr>
            <th scope="row">
              <kbd>Shift</kbd> <kbd>C</kbd>
            </th>
            <td>cut every link, at once and without a question</td>
          </tr>
          {VIEWS.map(({ name, title }, index) => (
            <tr key={name}>
              <th scope="row">
                <kbd>{index + 1}</kbd>
              </th>
              <td>{title}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">
              <kbd>?</kbd>
            </th>
            <td>this</td>
          </tr>
        </tbody>
      </table>
      <label class="check">
        <input
          type="checkbox"
          checked={keysAct.value}
          onChange={(event) => {
            keysAct.value = event.currentTarget.checked;
          }}
        />
        Single keys act
      </label>
      <p class="hint">
        Cutting needs any account and nothing else. A reset, a window by hand and an attended session need
        somebody at the box, or two people with one-time codes: no account connects anything from afar.
      </p>
    </Dialog>
  );
}
