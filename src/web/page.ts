import { find } from './dom/element.ts';
import { createTabs } from './dom/tabs.ts';
import { refuseOtherDrops } from './dom/take-pictures.ts';
import { createKeyView } from './key-view.ts';
import { createLook } from './look/look.ts';
import { hideNotice, showHold, showNotice, tellWhenOffline } from './notice.ts';
import { isAboutCredential, toProblem } from './service/service-problem.ts';
import { Teach } from './teach/teach.ts';

const tabs = [find('#tab-look', HTMLElement), find('#tab-teach', HTMLElement)] as const;
const panels = [find('#look', HTMLElement), find('#teach', HTMLElement)] as const;

refuseOtherDrops();
tellWhenOffline();
const keyView = createKeyView({ onCredential: load });
const look = createLook({ onRefused: (problem) => keyView.show(problem) });
const teach = new Teach({ onRefused: (problem) => keyView.show(problem) });

const chooseTab = createTabs(tabs, (tab) => {
  for (const [index, panel] of panels.entries()) panel.hidden = tabs[index] !== tab;
  const hash = tab.id.replace('tab-', '#');
  if (location.hash !== hash && (location.hash !== '' || hash !== '#look'))
    history.replaceState(null, '', hash);
  if (tab === tabs[1]) teach.open();
  else teach.leave();
});
const followHash = () => chooseTab(location.hash === '#teach' ? tabs[1] : tabs[0]);
addEventListener('hashchange', followHash);
followHash();
await load();

/** Asks what the service has for this visitor. A refusal shows the view that asks for a key. */
async function load(): Promise<void> {
  try {
    await look.load(showHold);
    hideNotice();
    keyView.hide();
    document.body.dataset['ready'] = '';
    if (location.hash === '#teach') teach.open();
  } catch (cause) {
    const problem = toProblem(cause);
    hideNotice();
    if (isAboutCredential(problem)) keyView.show(problem);
    else showNotice(problem, () => void load());
  }
}
