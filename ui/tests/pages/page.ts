import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

/** A page that fails the test when it complains on the console. */
export const test = base.extend({
  page: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await use(page);
    expect(complaints).toEqual([]);
  },
});

export { expect };

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function noViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const said = violations.map(
    (one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`,
  );
  expect(said).toEqual([]);
}

/** Opens the window on the replay; `more` is the rest of its address. */
export async function open(page: Page, more = '', lang = 'en'): Promise<void> {
  await page.goto(`/?lang=${lang}${more === '' ? '' : `&${more}`}`);
  await expect(page.locator('h1')).toBeVisible();
}

export const profile = (page: Page, name: string) =>
  page.getByRole('button', { name: `Start from Isosmith ${name}` });

export async function describe(page: Page, more = '', name = 'Minimal'): Promise<void> {
  await open(page, more);
  await profile(page, name).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Branding' })).toBeVisible();
}

export async function section(page: Page, name: string): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Sections' })
    .getByRole('button', { name: new RegExp(`^${name}`) })
    .click();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
}

/** Until totals and pictures have come. */
export async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(400);
  await page.evaluate(() => document.fonts.ready);
}
