/**
 * Makes a tab list of the ARIA practices: arrow keys, Home and End move and choose.
 *
 * @param onChoose told the tab that was chosen.
 * @returns chooses a tab.
 */
export function createTabs(
  tabs: readonly HTMLElement[],
  onChoose: (tab: HTMLElement) => void,
): (tab: HTMLElement) => void {
  const choose = (chosen: HTMLElement) => {
    for (const tab of tabs) {
      tab.setAttribute('aria-selected', String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
    }
    onChoose(chosen);
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => choose(tab));
    tab.addEventListener('keydown', ({ key }) => {
      const next = toIndex(key, index, tabs.length);
      const target = next === undefined ? undefined : tabs[next];
      if (!target) return;
      choose(target);
      target.focus();
    });
  }
  return choose;
}

function toIndex(key: string, index: number, count: number): number | undefined {
  if (key === 'ArrowRight') return (index + 1) % count;
  if (key === 'ArrowLeft') return (index + count - 1) % count;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  return undefined;
}
