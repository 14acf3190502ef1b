// Every screen in light and dark: no violation, nothing wider than the window, no complaint,
// and a picture of it in ui/shots for people to look at.
import { expect, noViolations, settled, test } from './page.ts';
import { SCREENS } from './screens.ts';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 1024, height: 700 },
];

for (const screen of SCREENS) {
  for (const theme of ['light', 'dark']) {
    test(`${screen.name}, ${theme}`, async ({ page }) => {
      await screen.go(page, `theme=${theme}`);
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      for (const size of screen.main ? SIZES : SIZES.slice(0, 1)) {
        await page.setViewportSize(size);
        await settled(page);
        const wide = await page.evaluate(() =>
          [...document.querySelectorAll('main, main .scroll:not(.viewport)')]
            .filter((one) => one.scrollWidth > one.clientWidth + 1)
            .map((one) => one.className),
        );
        expect(wide, `${size.width}`).toEqual([]);
        // A word that was never filled in; the help of the file name shows some on purpose.
        const words = await page.locator('body').innerText();
        expect(
          words.replaceAll(/\{(id|name|version|codename|suite|arch|profile)\},?/g, ''),
        ).not.toMatch(/\{\w+\}/);
        const path = `shots/${size.width}/${screen.name}-${theme}.png`;
        await page.screenshot({ path, animations: 'disabled' });
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      await noViolations(page);
    });
  }
}
